using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Checkpoints;

public class CheckpointFuzzTests
{
    private const int DefaultCount = 400;

    /// <summary>MAISI_FUZZ sets the number of mutated files per format.</summary>
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var count) ? count : DefaultCount;

    [Theory]
    [InlineData("pt/maisi_unet_fp16.pt")]
    [InlineData("pt/misc_python.pt")]
    [InlineData("pt/numpy_scalar.pt")]
    [InlineData("pt/views.pt")]
    [InlineData("pt/legacy_nonzip.pt")]
    [InlineData("pt/views.pt.expect.safetensors")]
    public void A_mutated_file_is_read_or_refused_with_a_typed_error(string name)
    {
        using var folder = TestPaths.Temporary();
        var original = File.ReadAllBytes(TestPaths.Golden(name.Split('/')));
        var random = new Random(name.Length);
        int read = 0, refused = 0;
        for (var i = 0; i < Count; i++)
        {
            var bytes = Mutate(original, random);
            File.WriteAllBytes(folder["m"], bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var scope = NewDisposeScope();
                using var file = CheckpointFile.Open(folder["m"]);
                foreach (var tensor in file.Flatten().Values)
                {
                    tensor.Bytes.ShouldBeLessThanOrEqualTo(bytes.Length);
                    tensor.ToTensor();
                }
                read++;
            }
            catch (CheckpointException)
            {
                refused++;
            }
            // Objects around the bytes cost a multiple of them, but claimed lengths must cost nothing.
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(2_000_000 + (200L * bytes.Length), $"mutation {i} of {name}");
        }
        (read + refused).ShouldBe(Count);
        refused.ShouldBeGreaterThan(0);
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var edits = random.Next(1, 5); edits > 0 && bytes.Count > 0; edits--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 20)).Select(_ => (byte)random.Next(256))); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                default:
                    for (var k = at; k < Math.Min(at + 8, bytes.Count); k++)
                        bytes[k] = 0xff;
                    break;
            }
        }
        return [.. bytes];
    }
}
