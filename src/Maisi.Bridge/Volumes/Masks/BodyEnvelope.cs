namespace Maisi.Bridge.Volumes;

/// <summary>How the body is told from air and from the table.</summary>
public sealed record BodyEnvelopeOptions
{
    /// <summary>What is not labelled inside the body becomes this.</summary>
    public int BodyLabel { get; init; } = LabelVocabulary.Body;

    /// <summary>HU below which a voxel is air.</summary>
    public double AirBelow { get; init; } = -800;

    /// <summary>Box for closing gaps, in voxels.</summary>
    public int ClosingBox { get; init; } = 3;

    /// <summary>Box that frees the body from the table, in voxels.</summary>
    public int TableBox { get; init; } = 5;

    /// <summary>Air inside the body is table when a piece of it has this part of the body's voxels or more.</summary>
    public double TableFraction { get; init; } = 0.05;

    /// <summary>False when lungs are not labelled: their air would pass for the table, so it is not looked for.</summary>
    public bool HasLungs { get; init; } = true;
}

/// <summary>
/// Adds the body (200) to a mask of organs, which MAISI's ControlNet needs and segmentation models leave out.
/// Source: NV-Generate-CTMR scripts/utils.py (add_body_envelope).
/// </summary>
public static class BodyEnvelope
{
    /// <summary>The mask with every unlabelled voxel of the body labelled.</summary>
    /// <exception cref="MaisiException">Mask and CT differ in size.</exception>
    public static Volume AddBody(this Volume mask, Volume ct, BodyEnvelopeOptions? options = null)
    {
        var o = options ?? new();
        if (!mask.Shape.SequenceEqual(ct.Shape))
            throw new MaisiException($"the mask is {mask.Grid} and the CT is {ct.Grid}", hint: "resample the mask to the CT (nearest)");
        var result = mask.ConvertTo<int>().Clone();
        var labelled = BinaryMask.Where<int>(result, v => v > 0);
        var air = BinaryMask.Where<float>(ct, hu => hu < o.AirBelow);
        var outside = ConnectedComponents.Largest(air).Dilate(o.ClosingBox, outside: false).Erode(o.ClosingBox, outside: true).Without(labelled);
        var body = ConnectedComponents.Largest(outside.Not().Erode(o.TableBox, outside: false)).Dilate(o.TableBox, outside: false);
        body = body.Dilate(o.ClosingBox, outside: false).Erode(o.ClosingBox, outside: true).Without(labelled);
        body.Mark(result, o.BodyLabel);
        if (o.HasLungs)
            RemoveTable(result, air, o);
        return result.Narrow();
    }

    // The air between patient and table is cut off from the air of the room, so it counts as body above.
    private static void RemoveTable(Volume mask, BinaryMask air, BodyEnvelopeOptions o)
    {
        var body = BinaryMask.Of(mask, o.BodyLabel);
        var pieces = ConnectedComponents.Find(body.And(air).ToVolume(mask.Grid), Connectivity.Faces);
        var voxels = mask.Voxels<int>();
        var least = o.TableFraction * body.Count;
        for (var i = 0; i < voxels.Length; i++)
            if (pieces.Ids[i] > 0 && pieces.Components[pieces.Ids[i] - 1].Size >= least)
                voxels[i] = 0;
    }
}
