using System.Reflection;
using NJsonSchema;

namespace Maisi.Bridge.Bundles;

/// <summary>A JSON schema of every registered target, so that editors complete and check configs.</summary>
public static class TargetSchema
{
    /// <summary>The schema as JSON text.</summary>
    public static string Create(TargetRegistry registry)
    {
        var schema = new JsonSchema { Title = "Components of a Maisi.Bridge bundle config", Description = "An item with _target_ must be one of these; other items are values, references (@id), macros (%id) or expressions ($...)." };
        foreach (var (path, target) in registry.Targets())
        {
            var definition = new JsonSchema { Type = JsonObjectType.Object, Title = path, AllowAdditionalProperties = target is not TargetType and not SettingsTarget and not Modules.DefinitionTarget };
            var name = new JsonSchemaProperty { Type = JsonObjectType.String, IsRequired = true };
            name.Enumeration.Add(path);
            name.Enumeration.Add(path[(path.LastIndexOf('.') + 1)..]);
            definition.Properties["_target_"] = name;
            definition.Properties["_mode_"] = Text("default, callable or debug");
            definition.Properties["_desc_"] = Text("free text");
            definition.Properties["_disabled_"] = Any("true, false or an expression");
            definition.Properties["_requires_"] = Any("items to resolve before this one");
            foreach (var (argument, type, required) in Arguments(target))
                definition.Properties[argument] = Argument(type, required);
            schema.Definitions[path] = definition;
            schema.AnyOf.Add(new JsonSchema { Reference = definition });
        }
        return schema.ToJson();
    }

    private static IEnumerable<(string Name, Type Type, bool Required)> Arguments(Expressions.Callable target) => target switch
    {
        TargetType type => type.Parameters.Select(p => (p.Name, p.Parameter.ParameterType, !p.Parameter.HasDefaultValue)),
        SettingsTarget settings => Properties(settings.Settings),
        Modules.DefinitionTarget { ConfigType: { } config } => Properties(config),
        _ => [],
    };

    private static IEnumerable<(string Name, Type Type, bool Required)> Properties(Type record) => record.GetProperties().Where(p => p.CanWrite)
        .Select(p => (SnakeCase.From(p.Name), p.PropertyType, p.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null));

    // Every value may also be a reference, macro or expression: a string.
    private static JsonSchemaProperty Argument(Type type, bool required)
    {
        var property = new JsonSchemaProperty { IsRequired = required, Description = ValueConverter.Describe(type) };
        var kind = Kind(Nullable.GetUnderlyingType(type) ?? type);
        if (kind is { } known)
            property.Type = known | JsonObjectType.String | (type.IsValueType && Nullable.GetUnderlyingType(type) is null ? JsonObjectType.None : JsonObjectType.Null);
        return property;
    }

    private static JsonObjectType? Kind(Type type) => type == typeof(bool) ? JsonObjectType.Boolean
        : type == typeof(string) || type.IsEnum ? JsonObjectType.String
        : type == typeof(double) || type == typeof(float) ? JsonObjectType.Number
        : type.IsPrimitive ? JsonObjectType.Integer
        : type.IsArray ? JsonObjectType.Array
        : null;

    private static JsonSchemaProperty Text(string description) => new() { Type = JsonObjectType.String, Description = description };

    private static JsonSchemaProperty Any(string description) => new() { Description = description };
}
