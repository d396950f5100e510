using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Maisi.Bridge.Generation;

/// <summary>What a random number is used for. Each use has a stream of its own, so that none shifts another.</summary>
public enum SeedStream
{
    /// <summary>The choice of a mask among candidates.</summary>
    MaskChoice = 1,

    /// <summary>The augmentation of a mask.</summary>
    Augmentation = 2,

    /// <summary>The initial latent and the step noises of the image.</summary>
    Latent = 3,

    /// <summary>The initial latent and the step noises of a synthesised mask.</summary>
    MaskLatent = 4,
}

/// <summary>Seeds of single samples, derived from the run's seed and the sample's index, independent of order, batches and retries.</summary>
public static class SampleSeed
{
    /// <summary>The seed of a sample: the first eight bytes of SHA-256 over (run seed, index), little endian.</summary>
    public static ulong Of(ulong runSeed, long index) => Hash(runSeed, (ulong)index, 0);

    /// <summary>The seed of one stream of a sample; <paramref name="draw"/> counts repeated draws, such as retries or step noises.</summary>
    public static ulong Stream(ulong sampleSeed, SeedStream stream, int draw = 0) => Hash(sampleSeed, (ulong)stream, (ulong)draw + 1);

    private static ulong Hash(ulong a, ulong b, ulong c)
    {
        Span<byte> text = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(text, a);
        BinaryPrimitives.WriteUInt64LittleEndian(text[8..], b);
        BinaryPrimitives.WriteUInt64LittleEndian(text[16..], c);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(text, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
