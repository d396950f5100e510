namespace TorchSharp;

public static partial class torch
{
    /// <summary>Linear algebra.</summary>
    public static class linalg
    {
        public static Tensor inv(Tensor input) => new Call(Ops.linalg_inv).T(input).Run();

        public static Tensor det(Tensor input) => new Call(Ops.linalg_det).T(input).Run();

        public static Tensor solve(Tensor A, Tensor B, bool left = true) => new Call(Ops.linalg_solve).T(A).T(B).B(left).Run();

        public static Tensor cholesky(Tensor input) => new Call(Ops.linalg_cholesky).T(input).Run();

        public static Tensor matrix_exp(Tensor input) => new Call(Ops.linalg_matrix_exp).T(input).Run();

        /// <summary>Eigenvalues in ascending order and eigenvectors (columns) of a symmetric matrix.</summary>
        public static (Tensor, Tensor) eigh(Tensor input, char UPLO = 'L') => new Call(Ops.linalg_eigh).T(input).Str(UPLO.ToString()).RunPair();

        public static Tensor eigvalsh(Tensor input, char UPLO = 'L') => new Call(Ops.linalg_eigvalsh).T(input).Str(UPLO.ToString()).Run();

        public static (Tensor U, Tensor S, Tensor Vh) svd(Tensor input, bool fullMatrices = true) => new Call(Ops.linalg_svd).T(input).B(fullMatrices).RunTriple();

        public static Tensor svdvals(Tensor input) => new Call(Ops.linalg_svdvals).T(input).Run();

        public static (Tensor Q, Tensor R) qr(Tensor input) => new Call(Ops.linalg_qr).T(input).RunPair();

        public static Tensor norm(Tensor input, long[]? dims = null, bool keepdim = false) => new Call(Ops.linalg_norm).T(input).N().LOrNone(dims).B(keepdim).Run();

        public static Tensor norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false) =>
            new Call(Ops.linalg_norm).T(input).F(ord).LOrNone(dims).B(keepdim).Run();

        public static Tensor vector_norm(Tensor input, double ord = 2d, long[]? dims = null, bool keepdim = false) =>
            new Call(Ops.linalg_vector_norm).T(input).F(ord).LOrNone(dims).B(keepdim).Run();
    }

    /// <summary>Fourier transforms.</summary>
    public static class fft
    {
        public static Tensor fftn(Tensor input, long[]? s = null, long[]? dim = null) => new Call(Ops.fft_fftn).T(input).LOrNone(s).LOrNone(dim).Run();

        public static Tensor ifftn(Tensor input, long[]? s = null, long[]? dim = null) => new Call(Ops.fft_ifftn).T(input).LOrNone(s).LOrNone(dim).Run();

        public static Tensor rfftn(Tensor input, long[]? s = null, long[]? dim = null) => new Call(Ops.fft_rfftn).T(input).LOrNone(s).LOrNone(dim).Run();

        public static Tensor irfftn(Tensor input, long[]? s = null, long[]? dim = null) => new Call(Ops.fft_irfftn).T(input).LOrNone(s).LOrNone(dim).Run();

        public static Tensor fftshift(Tensor input, long[]? dim = null) => new Call(Ops.fft_fftshift).T(input).LOrNone(dim).Run();

        public static Tensor ifftshift(Tensor input, long[]? dim = null) => new Call(Ops.fft_ifftshift).T(input).LOrNone(dim).Run();
    }
}
