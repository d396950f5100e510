namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>How a loss becomes one number; libtorch's numbers.</summary>
        public enum Reduction : long
        {
            None = 0,
            Mean = 1,
            Sum = 2,
        }

        public static partial class functional
        {
            public static Tensor mse_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                new Call(Ops.mse_loss).T(input).T(target).I((long)reduction).Run();

            public static Tensor l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                new Call(Ops.l1_loss).T(input).T(target).I((long)reduction).Run();

            public static Tensor smooth_l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean, double beta = 1.0) =>
                new Call(Ops.smooth_l1_loss).T(input).T(target).I((long)reduction).F(beta).Run();

            public static Tensor huber_loss(Tensor input, Tensor target, double delta = 1.0, Reduction reduction = Reduction.Mean) =>
                new Call(Ops.huber_loss).T(input).T(target).I((long)reduction).F(delta).Run();

            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
                new Call(Ops.nll_loss_nd).T(input).T(target).T(weight).I((long)reduction).Run();

            public static Tensor cross_entropy(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100,
                Reduction reduction = Reduction.Mean, double label_smoothing = 0.0) =>
                new Call(Ops.cross_entropy_loss).T(input).T(target).T(weight).I((long)reduction).I(ignore_index).F(label_smoothing).Run();

            public static Tensor binary_cross_entropy(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
                new Call(Ops.binary_cross_entropy).T(input).T(target).T(weight).I((long)reduction).Run();

            public static Tensor binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean,
                Tensor? pos_weights = null) =>
                new Call(Ops.binary_cross_entropy_with_logits).T(input).T(target).T(weight).T(pos_weights).I((long)reduction).Run();

            public static Tensor kl_div(Tensor input, Tensor target, bool log_target = true, Reduction reduction = Reduction.Mean) =>
                new Call(Ops.kl_div).T(input).T(target).I((long)reduction).B(log_target).Run();
        }

        public static Modules.MSELoss MSELoss(Reduction reduction = Reduction.Mean) => new(reduction);

        public static Modules.L1Loss L1Loss(Reduction reduction = Reduction.Mean) => new(reduction);

        public static Modules.BCEWithLogitsLoss BCEWithLogitsLoss(Tensor? weight = null, Reduction reduction = Reduction.Mean, Tensor? pos_weights = null) =>
            new(weight, reduction, pos_weights);

        public static Modules.CrossEntropyLoss CrossEntropyLoss(Tensor? weight = null, long? ignore_index = null, Reduction reduction = Reduction.Mean) =>
            new(weight, ignore_index, reduction);
    }
}
