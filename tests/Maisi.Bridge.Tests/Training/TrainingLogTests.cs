using System.Buffers.Binary;
using System.Text;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Training;

public sealed class TrainingLogTests
{
    [Fact]
    public void Events_are_records_of_checked_messages()
    {
        using var folder = TestPaths.Temporary();
        using (var file = new TensorBoardFile(folder["log"], TimeProvider.System))
        {
            file.Add("autoencoder/loss", 1, 0.25);
            file.Add("autoencoder/loss", 300, 1e-3);
            file.Restart(200);
        }
        using (var second = new TensorBoardFile(folder["log"], TimeProvider.System))
            second.Add("autoencoder/loss", 200, 2);
        var files = Directory.GetFiles(folder["log"]).Order(StringComparer.Ordinal).ToArray();
        files.Length.ShouldBe(2);
        files.ShouldAllBe(f => Path.GetFileName(f).StartsWith("events.out.tfevents."));
        var events = Events(files[0]);
        events[0].Version.ShouldBe("brain.Event:2");
        events.Skip(1).Select(e => (e.Step, e.Tag, e.Value)).ShouldBe([(1, "autoencoder/loss", 0.25f), (300, "autoencoder/loss", 1e-3f), (200, null, null)]);
        events[3].SessionStatus.ShouldBe(1);
        events.ShouldAllBe(e => e.Seconds > 1.7e9);
        Events(files[1])[1].Value.ShouldBe(2f);
    }

    /// <summary>The check value of CRC-32C for "123456789" is 0xE3069283 (RFC 3720); masked it is turned right by 15 and added to.</summary>
    [Fact]
    public void Checksums_are_masked_crc32c()
    {
        const uint crc = 0xE3069283;
        TensorBoardFile.MaskedChecksum("123456789"u8).ShouldBe(unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8));
        TensorBoardFile.MaskedChecksum([]).ShouldBe(0xa282ead8);
    }

    [Fact]
    public void A_resumed_stage_forgets_what_came_after_the_saved_state()
    {
        using var folder = TestPaths.Temporary();
        using (var log = new TrainingLog(folder.Path))
        {
            for (var step = 1; step <= 3; step++)
            {
                log.Add("first", step, "loss", 0.1 / step);
                log.Add("second", step, "loss", step);
            }
            log.Begin("second", 1);
            log.Add("second", 2, "loss", 7);
        }
        using (var again = new TrainingLog(folder.Path))
            again.Add("second", 3, "loss", 8);
        var entries = TrainingLog.Read(folder["training.csv"]);
        entries.Where(e => e.Stage == "first").Select(e => e.Value).ShouldBe([0.1, 0.05, 0.1 / 3]);
        entries.Where(e => e.Stage == "second").Select(e => e.Value).ShouldBe([1, 7, 8]);
        File.ReadLines(folder["training.csv"]).First().ShouldBe("stage,step,name,value");
    }

    [Fact]
    public void The_report_needs_no_other_file()
    {
        using var folder = TestPaths.Temporary();
        var entries = Enumerable.Range(1, 1000).Select(i => new LogEntry("auto<encoder", i, "loss", 1.0 / i)).ToList();
        TrainingPage.Write(folder["r.html"], "A & B", entries, [new ReportPicture("case \"1\"", new Raster(4, 3))]);
        var html = File.ReadAllText(folder["r.html"]);
        html.ShouldContain("A &amp; B");
        html.ShouldContain("auto&lt;encoder");
        html.ShouldContain("data:image/png;base64,iVBORw0KGgo");
        html.ShouldContain("case &quot;1&quot;");
        html.ShouldNotContain("http");
        var points = html.Split("points=\"")[1].Split('"')[0].Split(' ').Select(p => p.Split(',').Select(double.Parse).ToArray()).ToArray();
        points.Length.ShouldBe(334); // a thousand steps by threes
        points[0][1].ShouldBe(8, 0.1); // the highest value is at the top
        points[^1][1].ShouldBeGreaterThan(points[10][1]);
        for (var i = 1; i < points.Length; i++)
            points[i][0].ShouldBeGreaterThanOrEqualTo(points[i - 1][0]);
    }

    private sealed record Event(double Seconds, long Step, string? Version, string? Tag, float? Value, long SessionStatus);

    /// <summary>A reader by the format's description: length, its checksum, message, its checksum.</summary>
    private static List<Event> Events(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var events = new List<Event>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)).ShouldBe(Masked(bytes.AsSpan(at, 8)));
            var message = bytes.AsSpan(at + 12, length).ToArray();
            BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)).ShouldBe(Masked(message));
            events.Add(Read(message));
            at += length + 16;
        }
        return events;
    }

    private static Event Read(byte[] message)
    {
        var fields = Fields(message);
        var summary = fields.TryGetValue(5, out var s) ? Fields((byte[])Fields((byte[])s)[1]) : null;
        var session = fields.TryGetValue(7, out var l) ? (long)Fields((byte[])l)[1] : 0;
        return new Event(
            BitConverter.Int64BitsToDouble((long)fields[1]), (long)fields[2], fields.TryGetValue(3, out var v) ? Encoding.UTF8.GetString((byte[])v) : null,
            summary is null ? null : Encoding.UTF8.GetString((byte[])summary[1]), summary is null ? null : BitConverter.Int32BitsToSingle((int)(long)summary[2]), session);
    }

    private static Dictionary<int, object> Fields(byte[] bytes)
    {
        var fields = new Dictionary<int, object>();
        var at = 0;
        while (at < bytes.Length)
        {
            var key = Varint();
            fields[(int)(key >> 3)] = (key & 7) switch
            {
                0 => Varint(),
                1 => Take(8, b => BinaryPrimitives.ReadInt64LittleEndian(b)),
                2 => Take((int)Varint(), b => b.ToArray()),
                _ => Take(4, b => (long)BinaryPrimitives.ReadInt32LittleEndian(b)),
            };
        }
        return fields;

        long Varint()
        {
            long value = 0;
            for (var shift = 0; ; shift += 7)
            {
                value |= (long)(bytes[at] & 0x7f) << shift;
                if (bytes[at++] < 0x80)
                    return value;
            }
        }

        object Take<T>(int count, Func<byte[], T> read)
        {
            at += count;
            return read(bytes[(at - count)..at])!;
        }
    }

    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        // Bit by bit with the reflected polynomial of Castagnoli.
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8);
    }
}
