using System.Numerics;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Checkpoints;

public class CheckpointFileTests
{
    public static TheoryData<string> Files() =>
        [.. JsonNode.Parse(File.ReadAllText(TestPaths.Golden("pt_cases.json")))!.AsArray().Select(c => c!["file"]!.ToString()).Where(f => !f.StartsWith("old_", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_tensor_of_a_torch_file_is_read_bit_for_bit(string name)
    {
        using var scope = NewDisposeScope();
        using var file = CheckpointFile.Open(TestPaths.Golden("pt", name));
        using var expected = CheckpointFile.Open(TestPaths.Golden("pt", name + ".expect.safetensors"));
        var actual = file.Flatten();
        var tensors = expected.Flatten();
        actual.Keys.Order(StringComparer.Ordinal).ShouldBe(tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var (key, tensor) in tensors)
        {
            actual[key].Type.ShouldBe(tensor.Type, key);
            actual[key].Shape.ShouldBe(tensor.Shape, key);
            actual[key].ToTensor().bytes.ToArray().ShouldBe(tensor.ToTensor().bytes.ToArray(), key);
        }
    }

    [Fact]
    public void Formats_are_recognised_by_their_content()
    {
        Format("plain_fp32.pt").ShouldBe(CheckpointFormat.TorchZip);
        Format("legacy_nonzip.pt").ShouldBe(CheckpointFormat.TorchLegacy);
        Format("plain_fp32.pt.expect.safetensors").ShouldBe(CheckpointFormat.Safetensors);

        static CheckpointFormat Format(string name)
        {
            using var file = CheckpointFile.Open(TestPaths.Golden("pt", name));
            return file.Format;
        }
    }

    [Fact]
    public void Weights_and_numbers_of_MAISI_checkpoints_are_found()
    {
        using var unet = CheckpointFile.Open(TestPaths.Golden("pt", "maisi_unet_fp32.pt"));
        unet.StateDict().Keys.ShouldContain("conv_in.conv.weight");
        unet.Number("epoch").ShouldBe(3);
        unet.Number("loss").ShouldBe(0.125);
        unet.Number("num_train_timesteps").ShouldBe(1000);
        unet.Number("scale_factor")!.Value.ShouldBe(0.9783, 1e-6);
        unet.Number("nothing").ShouldBeNull();
        Weights("plain_fp32.pt").ShouldBe(4);
        Weights("autoencoder_wrapped.pt").ShouldBe(4);
        Weights("vae_unet_key.pt").ShouldBe(4);
        Weights("maisi_controlnet.pt").ShouldBe(4);
        Weights("with_optimizer.pt").ShouldBe(2);
        Weights("cuda_tagged.pt").ShouldBe(4);
        Should.Throw<CheckpointException>(() => unet.StateDict("controlnet_state_dict")).Hint!.ShouldContain("unet_state_dict");

        static int Weights(string name)
        {
            using var file = CheckpointFile.Open(TestPaths.Golden("pt", name));
            return file.StateDict().Count;
        }
    }

    [Fact]
    public void Plain_Python_values_keep_their_kind()
    {
        using var file = CheckpointFile.Open(TestPaths.Golden("pt", "misc_python.pt"));
        var root = file.Root.ShouldBeOfType<PythonDict>();
        var list = root["list"].ShouldBeOfType<List<object?>>();
        list.ShouldBe(new object?[] { 1L, "é", null, true, -BigInteger.Pow(2, 70), 1.5e-300, double.PositiveInfinity });
        root["tuple"].ShouldBeOfType<PythonTuple>().Items[1].ShouldBeOfType<PythonTuple>().Items.ShouldBe(new object?[] { 2L, 3L });
        root["set"].ShouldBeOfType<PythonSet>().Items.ShouldBe(new object?[] { 1L, 2L }, ignoreOrder: true);
        root["bytes"].ShouldBe(new byte[] { 0, 255 });
        root["size"].ShouldBeOfType<PythonTuple>().Items.ShouldBe(new object?[] { 1L, 2L });
        root["dtype"].ShouldBe(new PythonName("torch", "float16"));
        root["device"].ShouldBe(new PythonDevice("cpu"));
        root["big_str"].ShouldBe(new string('x', 300));

        using var numpy = CheckpointFile.Open(TestPaths.Golden("pt", "numpy_scalar.pt"));
        var values = numpy.Root.ShouldBeOfType<PythonDict>();
        values["loss"].ShouldBe(0.5);
        values["step"].ShouldBe(7L);
        var array = values["arr"].ShouldBeOfType<NumpyArray>();
        array.DType.ShouldBe("f4");
        array.Shape.ShouldBe(new long[] { 4 });
        array.Data[4..8].ShouldBe(BitConverter.GetBytes(1f));
    }

    [Fact]
    public void Code_in_a_pickle_is_refused_by_name()
    {
        using var folder = TestPaths.Temporary();
        // os.system("true") as a pickle spells it
        ZipFixture.Write(folder["evil.pt"], ("archive/data.pkl", [0x80, 2, .. "cposix\nsystem\nX\x04\0\0\0true"u8, 0x85, .. "R."u8]));
        var error = Should.Throw<CheckpointException>(() => CheckpointFile.Open(folder["evil.pt"]));
        error.Message.ShouldContain("posix.system, which is refused");
        error.Where.ShouldBe(folder["evil.pt"]);
    }

    [Fact]
    public void Other_files_are_told_apart()
    {
        using var folder = TestPaths.Temporary();
        Should.Throw<CheckpointException>(() => CheckpointFile.Open(folder["absent.pt"])).Message.ShouldContain("does not exist");
        File.WriteAllText(folder["text.pt"], "this is not a checkpoint at all");
        Should.Throw<CheckpointException>(() => CheckpointFile.Open(folder["text.pt"])).Message.ShouldContain("not a valid safetensors file");
        File.WriteAllBytes(folder["empty.pt"], []);
        Should.Throw<CheckpointException>(() => CheckpointFile.Open(folder["empty.pt"]));
        ZipFixture.Write(folder["script.pt"], ("m/constants.pkl", [0x80, 2, .. "."u8]), ("m/data.pkl", [0x80, 2, .. "N."u8]));
        Should.Throw<CheckpointException>(() => CheckpointFile.Open(folder["script.pt"])).Message.ShouldContain("TorchScript");
        ZipFixture.Write(folder["zip.pt"], ("readme.txt", [65]));
        Should.Throw<CheckpointException>(() => CheckpointFile.Open(folder["zip.pt"])).Message.ShouldContain("no data.pkl");
    }

    [Fact]
    public void A_cut_file_is_an_error_at_every_length()
    {
        using var folder = TestPaths.Temporary();
        foreach (var name in new[] { "maisi_unet_fp16.pt", "legacy_nonzip.pt", "maisi_unet_fp16.pt.expect.safetensors" })
        {
            var bytes = File.ReadAllBytes(TestPaths.Golden("pt", name));
            for (var length = 0; length < bytes.Length; length += 37)
            {
                File.WriteAllBytes(folder["cut"], bytes[..length]);
                Should.Throw<CheckpointException>(() =>
                {
                    using var file = CheckpointFile.Open(folder["cut"]);
                    foreach (var tensor in file.Flatten().Values)
                        tensor.ToTensor().Dispose();
                }, $"{name} cut at {length}");
            }
        }
    }
}
