using System.Text.Json.Serialization;

namespace Maisi.Bridge.Experiments;

/// <summary>What an arm is trained on.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ArmKind>))]
public enum ArmKind
{
    /// <summary>Real cases.</summary>
    [JsonStringEnumMemberName("real")]
    Real,

    /// <summary>The same real cases and synthetic ones.</summary>
    [JsonStringEnumMemberName("real+synthetic")]
    RealSynthetic,

    /// <summary>The synthetic cases alone.</summary>
    [JsonStringEnumMemberName("synthetic")]
    Synthetic,

    /// <summary>The real cases with classical augmentation.</summary>
    [JsonStringEnumMemberName("real_augmented")]
    RealAugmented,
}

/// <summary>Who trains.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainerKind>))]
public enum TrainerKind
{
    /// <summary>SegResNet in this program.</summary>
    [JsonStringEnumMemberName("segresnet")]
    SegResNet,

    /// <summary>MONAI's Auto3DSeg in a Python worker.</summary>
    [JsonStringEnumMemberName("auto3dseg")]
    Auto3DSeg,
}

/// <summary>How real cases lie on disk.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DataLayout>))]
public enum DataLayout
{
    /// <summary>A JSON with lists "training" and "testing".</summary>
    [JsonStringEnumMemberName("datalist")]
    Datalist,

    /// <summary>Folders images, labels, images_test and labels_test with the same file names.</summary>
    [JsonStringEnumMemberName("folder")]
    Folder,

    /// <summary>A task of the Medical Segmentation Decathlon: dataset.json with "training".</summary>
    [JsonStringEnumMemberName("msd")]
    Msd,

    /// <summary>A dataset of nnU-Net: imagesTr, labelsTr, imagesTs, labelsTs, dataset.json and, where there is one, splits_final.json.</summary>
    [JsonStringEnumMemberName("nnunet")]
    NnUNet,
}

/// <summary>Real cases.</summary>
public sealed record DataSection
{
    /// <summary>How they lie on disk.</summary>
    public DataLayout Layout { get; set; }

    /// <summary>The datalist, or the folder of the dataset.</summary>
    public required string Path { get; init; }

    /// <summary>Folder of a datalist's paths; the datalist's own when left out.</summary>
    public string? Root { get; set; }

    /// <summary>
    /// A regular expression with one group that finds the patient in a file name, for lists that do not say whose image it is; without it each
    /// image is a patient of its own.
    /// </summary>
    public string? PatientPattern { get; set; }

    /// <summary>Patients that are only tested on, for layouts that do not say.</summary>
    public string[] TestPatients { get; set; } = [];

    /// <summary>Gives patients to folds, evenly and by a seed of their names, where the layout says nothing; a datalist must ask for it.</summary>
    public bool AssignFolds { get; set; }

    /// <summary>Refuses a case whose label map lacks a class: a class that was not contoured is not background.</summary>
    public bool RequireAllClasses { get; set; } = true;
}

/// <summary>Synthetic cases.</summary>
public sealed record SyntheticSection
{
    /// <summary>The datalist.json of a run of 'maisi generate', or a list of one's own with "parent_patient_ids".</summary>
    public string? Datalist { get; set; }

    /// <summary>A bundle that makes an image of each label map that a training patient has.</summary>
    public string? Bundle { get; set; }

    /// <summary>How many cases the bundle makes.</summary>
    public int Count { get; set; }

    /// <summary>Denoising steps; the bundle's own number when left out.</summary>
    public int? Steps { get; set; }

    /// <summary>Seed of the generation.</summary>
    public ulong Seed { get; set; }

    /// <summary>Synthetic cases per real training case.</summary>
    public double Ratio { get; set; } = 1;

    /// <summary>
    /// The subjects that the generator was trained on: a datalist whose "training" names them, or a JSON list of patient ids. A bundle's own
    /// docs/training_subjects.json serves when this is left out.
    /// </summary>
    public string? GeneratorSubjects { get; set; }

    /// <summary>Goes on although nobody knows whom the generator was trained on; the report says so.</summary>
    public bool AllowUnknownGenerator { get; set; }
}

/// <summary>What every training may spend.</summary>
public sealed record BudgetSection
{
    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Patches per step.</summary>
    public int BatchSize { get; set; } = 2;

    /// <summary>Chances to choose the weights.</summary>
    public int Validations { get; set; } = 4;
}

/// <summary>Settings of MONAI's Auto3DSeg.</summary>
public sealed record Auto3DSegSection
{
    /// <summary>The folder algorithm_templates of MONAI's research-contributions.</summary>
    public required string Templates { get; init; }

    /// <summary>Algorithms.</summary>
    public string[] Algorithms { get; set; } = ["segresnet"];

    /// <summary>CT or MR.</summary>
    public string Modality { get; set; } = "CT";

    /// <summary>Folders for PYTHONPATH: a MONAI checkout, for instance.</summary>
    public string[] PythonPath { get; set; } = [];

    /// <summary>Values for hyper_parameters.yaml, in addition to those that the plan sets.</summary>
    public Dictionary<string, System.Text.Json.JsonElement> Overrides { get; set; } = [];

    /// <summary>Seconds that the training of one fold may take; no limit when left out.</summary>
    public double? FoldTimeout { get; set; }
}

/// <summary>What a conclusion needs.</summary>
public sealed record StatisticsSection
{
    /// <summary>The smallest difference of Dice that matters.</summary>
    public double MinimalEffect { get; set; } = 0.01;

    /// <summary>Level of significance after Holm's correction.</summary>
    public double Alpha { get; set; } = 0.05;

    /// <summary>Bootstrap resamples.</summary>
    public int Resamples { get; set; } = 10000;

    /// <summary>Test patients below which no conclusion is drawn.</summary>
    public int LeastPatients { get; set; } = 10;
}
