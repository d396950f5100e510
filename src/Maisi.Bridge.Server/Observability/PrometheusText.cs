using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Server;

/// <summary>The service's meters in Prometheus' text format (version 0.0.4).</summary>
internal sealed class PrometheusText : IDisposable
{
    private static readonly double[] _buckets = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, (Instrument Instrument, SortedDictionary<string, double[]> Series)> _values = new(StringComparer.Ordinal);

    public PrometheusText()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == ServerMetrics.Name)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        _listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Add(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        _listener.Start();
    }

    /// <summary>All values now.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (var (name, (instrument, series)) in _values)
            {
                var type = Type(instrument);
                var shown = type == "counter" ? name + "_total" : name;
                text.Append(CultureInfo.InvariantCulture, $"# HELP {shown} {instrument.Description}\n# TYPE {shown} {type}\n");
                foreach (var (labels, values) in series)
                    Write(text, shown, type, labels, values);
            }
        }
        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static void Write(StringBuilder text, string name, string type, string labels, double[] values)
    {
        if (type != "histogram")
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}{Braces(labels)} {values[0]}\n");
            return;
        }
        var separator = labels.Length > 0 ? "," : "";
        for (var i = 0; i < _buckets.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{separator}le=\"{_buckets[i]}\"}} {values[i + 2]}\n");
        text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{separator}le=\"+Inf\"}} {values[0]}\n{name}_sum{Braces(labels)} {values[1]}\n{name}_count{Braces(labels)} {values[0]}\n");
    }

    private static string Braces(string labels) => labels.Length > 0 ? $"{{{labels}}}" : "";

    private static string Type(Instrument instrument) => instrument switch { Counter<long> => "counter", Histogram<double> => "histogram", _ => "gauge" };

    // A counter's sum, a gauge's value, or a histogram's count, sum and cumulative buckets.
    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (name, label) in tags)
            labels.Append(labels.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{name}=\"{Escape(label)}\"");
        lock (_gate)
        {
            if (!_values.TryGetValue(instrument.Name, out var known))
                _values[instrument.Name] = known = (instrument, new(StringComparer.Ordinal));
            if (!known.Series.TryGetValue(labels.ToString(), out var values))
                known.Series[labels.ToString()] = values = new double[instrument is Histogram<double> ? _buckets.Length + 2 : 1];
            if (instrument is Histogram<double>)
            {
                values[0]++;
                values[1] += value;
                for (var i = 0; i < _buckets.Length; i++)
                    values[i + 2] += value <= _buckets[i] ? 1 : 0;
            }
            else
            {
                values[0] = instrument is Counter<long> ? values[0] + value : value;
            }
        }
    }

    private static string Escape(object? label) => $"{label}".Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
