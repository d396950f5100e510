using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Maisi.Bridge.Torch.Tests;

public sealed class ModuleTests : TensorTest
{
    [Fact]
    public void Names_follow_fields_and_containers()
    {
        using var net = new Net();
        net.state_dict().Keys.ShouldBe([
            "scale", "steps", "norm.weight", "norm.bias", "conv.weight", "conv.bias", "blocks.0.weight", "blocks.0.bias", "blocks.2.weight",
            "parts.first.weight", "batch.weight", "batch.bias", "batch.running_mean", "batch.running_var", "batch.num_batches_tracked", "list.0", "renamed.weight",
        ], ignoreOrder: true);
        net.named_parameters().Count().ShouldBe(13);
        net.named_buffers().Select(b => b.name).ShouldBe(["steps", "batch.running_mean", "batch.running_var", "batch.num_batches_tracked"], ignoreOrder: true);
        net.named_modules().Select(m => m.name).ShouldContain("blocks.1");
        net.get_parameter("blocks.0.bias").ShouldNotBeNull();
    }

    [Fact]
    public void State_moves_between_modules_and_misfits_are_listed()
    {
        using var one = new Net();
        using var two = new Net();
        two.load_state_dict(one.state_dict());
        foreach (var (name, tensor) in one.state_dict())
            Values(two.state_dict()[name]).ShouldBe(Values(tensor), name);
        var broken = one.state_dict();
        broken.Remove("conv.bias");
        broken["extra"] = zeros(1);
        broken["norm.weight"] = zeros(3);
        var before = Values(two.conv.weight);
        broken["conv.weight"] = zeros_like(one.conv.weight);
        var error = Should.Throw<InvalidOperationException>(() => two.load_state_dict(broken));
        error.Message.ShouldContain("conv.bias: missing");
        error.Message.ShouldContain("extra: unknown");
        error.Message.ShouldContain("norm.weight: the module has [4], the file [3]");
        Values(two.conv.weight).ShouldBe(before);
    }

    [Fact]
    public void Conversion_keeps_the_objects_and_their_gradients()
    {
        using var net = new Net();
        var weight = net.conv.weight;
        using (var loss = net.call(randn([1, 4, 3, 3, 3])).sum())
            loss.backward();
        net.@double();
        weight.dtype.ShouldBe(ScalarType.Float64);
        weight.grad!.dtype.ShouldBe(ScalarType.Float64);
        weight.requires_grad.ShouldBeTrue();
        net.state_dict()["steps"].dtype.ShouldBe(ScalarType.Int64);
        ReferenceEquals(net.state_dict()["conv.weight"], weight).ShouldBeTrue();
        net.to(META);
        weight.is_meta.ShouldBeTrue();
        Should.Throw<InvalidOperationException>(() => net.load_state_dict(new Net().state_dict())).Message.ShouldContain("meta");
    }

    [Fact]
    public void Large_modules_build_fast_without_initialisation()
    {
        using (ModuleInitialization.Skip())
        {
            ModuleInitialization.IsSkipped.ShouldBeTrue();
            using var wide = nn.Conv3d(512, 512, 3);
            wide.weight.shape.ShouldBe([512, 512, 3, 3, 3]);
        }
        using (DefaultDevice.Use(META))
        using (var shape = new Net())
            shape.conv.weight.is_meta.ShouldBeTrue();
    }

    [Fact]
    public void Training_mode_reaches_children()
    {
        using var net = new Net();
        net.eval();
        net.modules().ShouldAllBe(m => !m.training);
        var x = ones(1000);
        Values(nn.Dropout(0.5).call(x)).Count(v => v == 0).ShouldBeInRange(400, 600);
        var dropout = nn.Dropout(0.5);
        dropout.eval();
        Values(dropout.call(x)).ShouldAllBe(v => v == 1);
    }

    private sealed class Net : Module<Tensor, Tensor>
    {
        public readonly TorchSharp.Modules.Conv3d conv;
        private readonly TorchSharp.Modules.GroupNorm norm;
        private readonly Sequential blocks;
        private readonly ModuleDict<Module<Tensor, Tensor>> parts;
        private readonly BatchNorm3d batch;
        private readonly ParameterList list;
        private readonly Parameter scale;
        private readonly Tensor steps;
        [ComponentName(Name = "renamed")]
        private readonly TorchSharp.Modules.Linear field;

        public Net()
            : base("Net")
        {
            norm = nn.GroupNorm(2, 4);
            conv = nn.Conv3d(4, 4, 3, 1, 1);
            blocks = nn.Sequential(nn.Conv3d(4, 4, 1), nn.SiLU(), nn.Conv3d(4, 4, 1, bias: false));
            parts = nn.ModuleDict<Module<Tensor, Tensor>>(("first", nn.Linear(2, 2, false)));
            batch = nn.BatchNorm3d(4);
            list = nn.ParameterList(Parameter(ones(1)));
            scale = Parameter(ones(1));
            steps = tensor(new long[] { 3 });
            field = nn.Linear(2, 2, false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return (x + blocks.call(conv.call(norm.call(x).silu()))).MoveToOuterDisposeScope();
        }
    }
}
