namespace TorchSharp.Modules;

/// <summary>Mean squared error.</summary>
public sealed class MSELoss(torch.nn.Reduction reduction) : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>(nameof(MSELoss))
{
    public override torch.Tensor forward(torch.Tensor input1, torch.Tensor input2) => torch.nn.functional.mse_loss(input1, input2, reduction);
}

/// <summary>Mean absolute error.</summary>
public sealed class L1Loss(torch.nn.Reduction reduction) : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>(nameof(L1Loss))
{
    public override torch.Tensor forward(torch.Tensor input1, torch.Tensor input2) => torch.nn.functional.l1_loss(input1, input2, reduction);
}

/// <summary>Binary cross entropy of logits.</summary>
public sealed class BCEWithLogitsLoss(torch.Tensor? weight, torch.nn.Reduction reduction, torch.Tensor? pos_weights)
    : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>(nameof(BCEWithLogitsLoss))
{
    public override torch.Tensor forward(torch.Tensor input1, torch.Tensor input2) =>
        torch.nn.functional.binary_cross_entropy_with_logits(input1, input2, weight, reduction, pos_weights);
}

/// <summary>Cross entropy of logits and classes.</summary>
public sealed class CrossEntropyLoss(torch.Tensor? weight, long? ignore_index, torch.nn.Reduction reduction)
    : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>(nameof(CrossEntropyLoss))
{
    public override torch.Tensor forward(torch.Tensor input1, torch.Tensor input2) =>
        torch.nn.functional.cross_entropy(input1, input2, weight, ignore_index ?? -100, reduction);
}
