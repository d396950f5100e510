namespace Maisi.Bridge.Volumes;

/// <summary>
/// Connected components by runs: each row along x is cut into runs of equal labels, which are joined to touching runs of the rows before
/// it. Slabs of z are labelled on different cores, then joined at their borders.
/// Source: L. He, Y. Chao, K. Suzuki, "A run-based two-scan labeling algorithm", IEEE Trans. Image Processing 17, 2008.
/// </summary>
internal sealed class RunLabelling(Memory<int> labels, int sizeX, int sizeY, int sizeZ, Connectivity connectivity)
{
    private record struct Run(int Start, int End, int Label);

    // First run of each row; runs of a row lie one after another. Parents form trees over run numbers.
    private readonly int[] _rowStart = new int[sizeY * sizeZ + 1];
    private Run[] _runs = [];
    private int[] _parent = [];

    public (int[] Ids, Component[] Components) Label()
    {
        FindRuns();
        var slabs = Math.Min(Environment.ProcessorCount, sizeZ);
        int Border(int slab) => (int)((long)sizeZ * slab / slabs);
        Parallel.For(0, slabs, s =>
        {
            for (var z = Border(s); z < Border(s + 1); z++)
                JoinPlane(z, below: z > Border(s));
        });
        for (var s = 1; s < slabs; s++)
            for (var y = 0; y < sizeY; y++)
                JoinBelow(y, Border(s));
        return Number();
    }

    private void FindRuns()
    {
        var rows = sizeY * sizeZ;
        Parallel.For(0, sizeZ, z =>
        {
            var plane = labels.Span;
            for (var row = z * sizeY; row < (z + 1) * sizeY; row++)
            {
                var voxels = plane.Slice(row * sizeX, sizeX);
                var (count, last) = (0, 0);
                foreach (var v in voxels)
                {
                    count += v != last && v != 0 ? 1 : 0;
                    last = v;
                }
                _rowStart[row + 1] = count;
            }
        });
        for (var row = 0; row < rows; row++)
            _rowStart[row + 1] += _rowStart[row];
        _runs = new Run[_rowStart[rows]];
        _parent = new int[_runs.Length];
        Parallel.For(0, sizeZ, z =>
        {
            var plane = labels.Span;
            for (var row = z * sizeY; row < (z + 1) * sizeY; row++)
            {
                var voxels = plane.Slice(row * sizeX, sizeX);
                var at = _rowStart[row];
                for (var x = 0; x < sizeX;)
                {
                    var label = voxels[x];
                    var end = x + 1;
                    while (end < sizeX && voxels[end] == label)
                        end++;
                    if (label != 0)
                    {
                        _parent[at] = at;
                        _runs[at++] = new(x, end, label);
                    }
                    x = end;
                }
            }
        });
    }

    private void JoinPlane(int z, bool below)
    {
        for (var y = 0; y < sizeY; y++)
        {
            if (y > 0)
                Join(z * sizeY + y, z * sizeY + y - 1, connectivity >= Connectivity.Edges ? 1 : 0);
            if (below)
                JoinBelow(y, z);
        }
    }

    private void JoinBelow(int y, int z)
    {
        var row = z * sizeY + y;
        Join(row, row - sizeY, connectivity >= Connectivity.Edges ? 1 : 0);
        if (connectivity < Connectivity.Edges)
            return;
        var reach = connectivity == Connectivity.Corners ? 1 : 0;
        if (y > 0)
            Join(row, row - sizeY - 1, reach);
        if (y < sizeY - 1)
            Join(row, row - sizeY + 1, reach);
    }

    // Joins runs of two rows that overlap, or come within a voxel of each other where diagonals count.
    private void Join(int row, int other, int reach)
    {
        var (b0, bEnd) = (_rowStart[other], _rowStart[other + 1]);
        for (var a = _rowStart[row]; a < _rowStart[row + 1]; a++)
        {
            var run = _runs[a];
            while (b0 < bEnd && _runs[b0].End + reach <= run.Start)
                b0++;
            for (var b = b0; b < bEnd && _runs[b].Start < run.End + reach; b++)
                if (_runs[b].Label == run.Label)
                    Unite(a, b);
        }
    }

    private int Root(int run)
    {
        while (_parent[run] != run)
            run = _parent[run] = _parent[_parent[run]];
        return run;
    }

    private void Unite(int a, int b)
    {
        var (ra, rb) = (Root(a), Root(b));
        if (ra < rb)
            _parent[rb] = ra;
        else
            _parent[ra] = rb;
    }

    private (int[] Ids, Component[] Components) Number()
    {
        var rows = sizeY * sizeZ;
        var (first, size) = (new long[_runs.Length], new int[_runs.Length]);
        Array.Fill(first, long.MaxValue);
        for (var row = 0; row < rows; row++)
        {
            var (z, y) = Math.DivRem(row, sizeY);
            for (var r = _rowStart[row]; r < _rowStart[row + 1]; r++)
            {
                var root = Root(r);
                // C order of the first voxel of the run; along a run x only grows.
                first[root] = Math.Min(first[root], ((long)_runs[r].Start * sizeY + y) * sizeZ + z);
                size[root] += _runs[r].End - _runs[r].Start;
            }
        }
        var order = Enumerable.Range(0, _runs.Length).Where(r => _parent[r] == r).OrderBy(r => first[r]).ToArray();
        var number = new int[_runs.Length];
        for (var i = 0; i < order.Length; i++)
            number[order[i]] = i + 1;
        var ids = new int[labels.Length];
        Parallel.For(0, sizeZ, z =>
        {
            for (var row = z * sizeY; row < (z + 1) * sizeY; row++)
                for (var r = _rowStart[row]; r < _rowStart[row + 1]; r++)
                {
                    var root = r;
                    while (_parent[root] != root)
                        root = _parent[root];
                    ids.AsSpan(row * sizeX + _runs[r].Start, _runs[r].End - _runs[r].Start).Fill(number[root]);
                }
        });
        return (ids, [.. order.Select(root => new Component(_runs[root].Label, size[root]))]);
    }
}
