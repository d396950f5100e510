using System.Globalization;
using System.Numerics;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Python's integers and floats: whole numbers of any size (within a limit), true and floor division, signs as Python rounds them.</summary>
internal static class Numbers
{
    /// <summary>Bits of the largest whole number; sizes, seeds and byte counts need far fewer.</summary>
    public const int MaxBits = 4096;

    /// <summary>Decimal digits of the largest whole number.</summary>
    public const int MaxDigits = 1233;

    /// <summary>True for bool, int and float.</summary>
    public static bool IsNumber(object? value) => value is bool or long or BigInteger or double or int or float;

    /// <summary>True for bool and int.</summary>
    public static bool IsInteger(object? value) => value is bool or long or BigInteger or int;

    /// <summary>A long when it fits.</summary>
    public static object Normalize(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
            return (long)value;
        return value.GetBitLength() <= MaxBits
            ? value
            : throw new BundleException(BundleErrorKind.OverflowError, $"a whole number with more than {MaxBits} bits", hint: "use a float for magnitudes like this");
    }

    /// <summary>Any integer value as BigInteger.</summary>
    public static BigInteger ToBig(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        long l => l,
        int i => i,
        BigInteger big => big,
        _ => throw Bad($"'{PythonTypes.NameOf(value)}' object cannot be interpreted as an integer"),
    };

    /// <summary>Any integer value as long.</summary>
    public static long ToLong(object? value) => Normalize(ToBig(value)) is long small
        ? small
        : throw new BundleException(BundleErrorKind.OverflowError, "the whole number does not fit 64 bits");

    /// <summary>Any number as double.</summary>
    public static double ToDouble(object? value) => value switch
    {
        double d => d,
        float f => f,
        long l => l,
        _ when IsInteger(value) => Finite((double)ToBig(value)),
        _ => throw Bad($"must be real number, not {PythonTypes.NameOf(value)}"),
    };

    /// <summary>-1, 0 or 1; null when NaN is involved.</summary>
    public static int? Compare(object? a, object? b)
    {
        if (IsInteger(a) && IsInteger(b))
            return a is long x && b is long y ? x.CompareTo(y) : ToBig(a).CompareTo(ToBig(b));
        double p = ToDouble(a), q = ToDouble(b);
        return double.IsNaN(p) || double.IsNaN(q) ? null : p.CompareTo(q);
    }

    /// <summary>The arithmetic of two numbers.</summary>
    public static object Arithmetic(string op, object? a, object? b)
    {
        if (op == "/")
            return Divide(a, b);
        if (IsInteger(a) && IsInteger(b))
            return a is long x && b is long y && Small(op, x, y) is { } small ? (object)small : Big(op, ToBig(a), ToBig(b));
        return Float(op, ToDouble(a), ToDouble(b));
    }

    private static object Divide(object? a, object? b)
    {
        var divisor = ToDouble(b);
        return divisor == 0 ? throw ZeroDivision("division by zero") : ToDouble(a) / divisor;
    }

    // The usual case without BigInteger; null when the result may not fit.
    private static long? Small(string op, long x, long y)
    {
        switch (op)
        {
            case "+":
                var sum = unchecked(x + y);
                return ((x ^ sum) & (y ^ sum)) < 0 ? null : sum;
            case "-":
                var difference = unchecked(x - y);
                return ((x ^ y) & (x ^ difference)) < 0 ? null : difference;
            case "*":
                var high = Math.BigMul(x, y, out var low);
                return (high == 0 && low >= 0) || (high == -1 && low < 0) ? low : null;
            default:
                return null;
        }
    }

    private static object Big(string op, BigInteger x, BigInteger y)
    {
        switch (op)
        {
            case "+":
                return Normalize(x + y);
            case "-":
                return Normalize(x - y);
            case "*":
                if (x.GetBitLength() + y.GetBitLength() > MaxBits + 1)
                    return Normalize(BigInteger.One << (MaxBits + 1));
                return Normalize(x * y);
            case "//" or "%":
                if (y.IsZero)
                    throw ZeroDivision("integer division or modulo by zero");
                var quotient = BigInteger.DivRem(x, y, out var remainder);
                if (!remainder.IsZero && remainder.Sign != y.Sign)
                    (quotient, remainder) = (quotient - 1, remainder + y);
                return Normalize(op == "//" ? quotient : remainder);
            case "**":
                return Power(x, y);
            case "<<":
                if (y.Sign < 0)
                    throw new BundleException(BundleErrorKind.ValueError, "negative shift count");
                return Normalize(x << (x.IsZero ? 0 : (int)BigInteger.Min(y, MaxBits + 1)));
            case ">>":
                if (y.Sign < 0)
                    throw new BundleException(BundleErrorKind.ValueError, "negative shift count");
                return Normalize(x >> (int)BigInteger.Min(y, MaxBits + 1));
            case "&":
                return Normalize(x & y);
            case "|":
                return Normalize(x | y);
            case "^":
                return Normalize(x ^ y);
            default:
                throw Bad($"unsupported operand type(s) for {op}: 'int' and 'int'");
        }
    }

    private static object Power(BigInteger x, BigInteger y)
    {
        if (y.Sign < 0)
            return x.IsZero ? throw ZeroDivision("0.0 cannot be raised to a negative power") : Math.Pow((double)x, (double)y);
        if (x.IsOne || y.IsZero)
            return 1L;
        if (x.IsZero || x == BigInteger.MinusOne)
            return x.IsZero ? 0L : y.IsEven ? 1L : -1L;
        if (y > MaxBits || (x.GetBitLength() - 1) * (long)y > MaxBits)
            return Normalize(BigInteger.One << (MaxBits + 1));
        return Normalize(BigInteger.Pow(x, (int)y));
    }

    private static double Float(string op, double x, double y)
    {
        switch (op)
        {
            case "+":
                return x + y;
            case "-":
                return x - y;
            case "*":
                return x * y;
            case "//" or "%":
                if (y == 0)
                    throw ZeroDivision("float floor division by zero");
                var remainder = x % y;
                if (remainder != 0 && (remainder < 0) != (y < 0))
                    remainder += y;
                return op == "%" ? remainder : Math.Round((x - remainder) / y);
            case "**":
                if (x == 0 && y < 0)
                    throw ZeroDivision("0.0 cannot be raised to a negative power");
                var power = Math.Pow(x, y);
                if (double.IsInfinity(power) && double.IsFinite(x) && double.IsFinite(y))
                    throw new BundleException(BundleErrorKind.OverflowError, "the result of ** is too large for a float");
                return double.IsNaN(power) && !double.IsNaN(x) && !double.IsNaN(y)
                    ? throw new BundleException(BundleErrorKind.ValueError, "** gives a complex number, which configs do not have")
                    : power;
            default:
                throw Bad($"unsupported operand type(s) for {op}: 'float'");
        }
    }

    /// <summary>Python's <c>round</c>: half to even; with digits, of the decimal value.</summary>
    public static object Round(object? value, object? digits)
    {
        if (digits is null)
            return value is double d ? Normalize(ToInteger(Math.Round(d, MidpointRounding.ToEven))) : Normalize(ToBig(value));
        var places = (int)Math.Clamp(ToLong(digits), -400, 400);
        if (IsInteger(value))
        {
            if (places >= 0)
                return Normalize(ToBig(value));
            var unit = BigInteger.Pow(10, -places);
            var x = ToBig(value);
            var floor = BigInteger.DivRem(x, unit, out var rest);
            if (rest.Sign < 0)
                (floor, rest) = (floor - 1, rest + unit);
            var twice = rest * 2;
            return Normalize((twice > unit || (twice == unit && !floor.IsEven) ? floor + 1 : floor) * unit);
        }
        var number = ToDouble(value);
        if (!double.IsFinite(number) || places > 22)
            return number;
        // The exact decimal expansion decides ties, as in Python: format gives correctly rounded digits.
        return places >= 0
            ? double.Parse(FormatSpecification.Fixed(number, places), CultureInfo.InvariantCulture)
            : Math.Round(number / Math.Pow(10, -places), MidpointRounding.ToEven) * Math.Pow(10, -places);
    }

    /// <summary>A float without its fraction, as an integer.</summary>
    public static BigInteger ToInteger(double value) => double.IsFinite(value)
        ? new BigInteger(Math.Truncate(value))
        : throw new BundleException(double.IsNaN(value) ? BundleErrorKind.ValueError : BundleErrorKind.OverflowError, $"cannot convert float {(double.IsNaN(value) ? "NaN" : "infinity")} to integer");

    private static double Finite(double value) => double.IsFinite(value)
        ? value
        : throw new BundleException(BundleErrorKind.OverflowError, "int too large to convert to float");

    private static BundleException ZeroDivision(string message) => new(BundleErrorKind.ZeroDivisionError, message);

    private static BundleException Bad(string message) => new(BundleErrorKind.TypeError, message);
}
