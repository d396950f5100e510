using Maisi.Bridge.Evaluation;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Evaluation;

/// <summary>A copy that is planted among synthetic cases is found, and unseen cases are not taken for copies.</summary>
public sealed class MemorisationTests
{
    [Fact]
    public void Planted_copies_are_found_and_unseen_cases_are_not()
    {
        using var folder = TestPaths.Temporary();
        var training = EvaluationPhantoms.Write(folder["training"], Enumerable.Range(0, 12));
        var validation = EvaluationPhantoms.Write(folder["validation"], Enumerable.Range(100, 8));
        var synthetic = EvaluationPhantoms.Write(folder["synthetic"], Enumerable.Range(200, 6));
        // A noisy copy, a mirrored one whose HU are shifted, and one that lies elsewhere.
        VolumeFile.Write(EvaluationPhantoms.Patient(4, noise: 80), folder["synthetic/copy.nii.gz"]);
        VolumeFile.Write(Mirrored(EvaluationPhantoms.Patient(7), shift: 40), folder["synthetic/mirror.nii.gz"]);
        VolumeFile.Write(Moved(EvaluationPhantoms.Patient(9), 3, -2, 2), folder["synthetic/moved.nii.gz"]);
        using var audit = new MemorisationAudit();
        foreach (var calibration in new[] { validation, [] })
        {
            var result = audit.Run([.. synthetic, folder["synthetic/copy.nii.gz"], folder["synthetic/mirror.nii.gz"], folder["synthetic/moved.nii.gz"]], training, calibration);
            result.CalibratedOnTraining.ShouldBe(calibration.Length == 0);
            result.Copies.ShouldBe(3);
            var copies = result.Cases.Where(c => c.Verdict == CopyVerdict.Copy).ToDictionary(c => CaseFiles.NameOf(c.File), c => c.Nearest[DescriptorSpace.Image]);
            (copies["copy"].File, copies["copy"].Mirrored).ShouldBe((training[4], false));
            (copies["mirror"].File, copies["mirror"].Mirrored).ShouldBe((training[7], true));
            (copies["moved"].File, copies["moved"].Mirrored).ShouldBe((training[9], false));
            result.Cases.Skip(3).ShouldAllBe(c => c.Verdict != CopyVerdict.Copy && c.Score < result.Threshold);
            MemorisationReport.Sentence(result).ShouldStartWith("3 of 9 synthetic cases are copies of training cases");
            var report = MemorisationReport.Build(result, [], pairs: 3);
            report.Pictures[0].Picture.Width.ShouldBe(2000);
            report.Tables[0].Rows.Count(r => (string)r[1]! == "copy").ShouldBe(3);
        }
    }

    [SkippableFact]
    public void A_planted_copy_of_a_real_patient_is_found()
    {
        Skip.If(TestPaths.RealData is null || !Directory.Exists(Path.Combine(TestPaths.RealData, "openkbp")), "no real CT (MAISI_TEST_DATA)");
        using var folder = TestPaths.Temporary();
        var files = Directory.GetFiles(Path.Combine(TestPaths.RealData!, "openkbp"), "*_ct.nii.gz").Order(StringComparer.Ordinal).Take(32).ToArray();
        var patient = VolumeFile.Read(files[5]).ConvertTo<float>();
        var random = new Random(1);
        foreach (ref var v in patient.Voxels<float>())
            v += (float)(random.NextDouble() - 0.5) * 100;
        VolumeFile.Write(patient, folder["planted.nii.gz"]);
        // Another one 9, -6 and 9 mm away from where it was.
        VolumeFile.Write(Moved(VolumeFile.Read(files[8]).ConvertTo<float>(), 3, -2, 3), folder["moved.nii.gz"]);
        using var audit = MemorisationAudit.Create(new(), Path.Combine(TestPaths.Root, "bundles", "maisi_headneck_small"));
        var result = audit.Run([.. files[26..], folder["planted.nii.gz"], folder["moved.nii.gz"]], files[..16], files[16..26]);
        result.Cases[0].File.ShouldBe(folder["planted.nii.gz"]);
        result.Cases[0].Verdict.ShouldBe(CopyVerdict.Copy);
        result.Cases[0].Nearest.Values.ShouldAllBe(n => n.File == files[5]);
        var moved = result.Cases.Single(c => c.File == folder["moved.nii.gz"]);
        (moved.Verdict, moved.Nearest[DescriptorSpace.Image].File).ShouldBe((CopyVerdict.Copy, files[8]));
        result.Copies.ShouldBe(2);
    }

    [Fact]
    public void An_audit_without_enough_cases_is_refused()
    {
        using var folder = TestPaths.Temporary();
        var files = EvaluationPhantoms.Write(folder["a"], Enumerable.Range(0, 5));
        using var audit = new MemorisationAudit();
        Should.Throw<MaisiException>(() => audit.Run(files[..1], files[1..3], [])).Where.ShouldBe("--training");
        Should.Throw<MaisiException>(() => audit.Run(files[..1], files[1..], files[..1])).Where.ShouldBe("--validation");
        Should.Throw<MaisiException>(() => audit.Run(files[..1], files[..3], files[2..])).Message.ShouldContain("a training case too");
        Should.Throw<MaisiException>(() => MemorisationAudit.Create(new(), folder["a"])).Message.ShouldContain("no MAISI bundle");
    }

    /// <summary>The volume moved by so many voxels; what comes in is air.</summary>
    private static Volume Moved(Volume volume, int dx, int dy, int dz)
    {
        var copy = volume.Clone();
        var from = volume.Voxels<float>();
        var to = copy.Voxels<float>();
        for (var i = 0; i < to.Length; i++)
        {
            var (x, y, z) = ((i % volume.SizeX) - dx, (i / volume.SizeX % volume.SizeY) - dy, (i / volume.SizeX / volume.SizeY) - dz);
            var inside = x >= 0 && x < volume.SizeX && y >= 0 && y < volume.SizeY && z >= 0 && z < volume.SizeZ;
            to[i] = inside ? from[(((z * volume.SizeY) + y) * volume.SizeX) + x] : -1000;
        }
        return copy;
    }

    private static Volume Mirrored(Volume volume, float shift)
    {
        var copy = volume.Clone();
        var from = volume.Voxels<float>();
        for (var i = 0; i < from.Length; i++)
            copy.Voxels<float>()[i / volume.SizeX * volume.SizeX + volume.SizeX - 1 - i % volume.SizeX] = from[i] + shift;
        return copy;
    }
}
