using System.Reflection;
using System.Xml.Linq;

namespace Mcp.Guard.Tests.House;

/// <summary>Every public type and member says what it is for.</summary>
[TestFixture]
internal sealed class DocumentationTests
{
    private static readonly Assembly[] Libraries =
        [typeof(GuardDecision).Assembly, typeof(IMcpGuard).Assembly, typeof(Testing.AuditCollector).Assembly, typeof(TokenizerBuilderExtensions).Assembly];

    [TestCaseSource(nameof(Libraries))]
    public void PublicMembers_OfALibrary_AreDocumented(Assembly library)
    {
        string file = Path.ChangeExtension(library.Location, ".xml");
        Assert.That(file, Does.Exist, "the library is built with its documentation");
        Dictionary<string, XElement> documented = XDocument.Load(file).Descendants("member").ToDictionary(static member => member.Attribute("name")!.Value, StringComparer.Ordinal);
        string[] missing = [.. library.GetExportedTypes().SelectMany(Ids).Where(id => !documented.TryGetValue(id.Id, out XElement? text) || !SaysSomething(text)).Select(static id => id.Id)];
        Assert.That(missing, Is.Empty);
    }

    [TestCaseSource(nameof(Libraries))]
    public void Parameters_OfPublicMethods_AreDocumented(Assembly library)
    {
        Dictionary<string, XElement> documented = XDocument.Load(Path.ChangeExtension(library.Location, ".xml")).Descendants("member").ToDictionary(static member => member.Attribute("name")!.Value, StringComparer.Ordinal);
        string[] missing =
        [
            .. from item in library.GetExportedTypes().SelectMany(Ids)
               where item.Method is not null && documented.TryGetValue(item.Id, out XElement? text) && text!.Element("inheritdoc") is null
               from parameter in item.Method!.GetParameters()
               where !documented[item.Id].Elements("param").Any(element => element.Attribute("name")!.Value == parameter.Name && element.Value.Trim().Length + element.Nodes().Count() > 1)
               select $"{item.Id}: {parameter.Name}",
        ];
        Assert.That(missing, Is.Empty);
    }

    private static bool SaysSomething(XElement member) =>
        member.Element("inheritdoc") is not null || (member.Element("summary") is { } summary && (summary.Value.Trim().Length >= 4 || summary.HasElements));

    /// <summary>Types, fields, properties and events by name; of methods those whose id is the plain one (the compiler holds the others by CS1591).</summary>
    private static IEnumerable<(string Id, MethodBase? Method)> Ids(Type type)
    {
        if (type.BaseType == typeof(MulticastDelegate))
        {
            yield break;
        }

        string name = type.FullName!.Replace('+', '.');
        yield return ("T:" + name, null);
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (FieldInfo field in type.GetFields(Declared).Where(static field => !field.IsSpecialName))
        {
            yield return ($"F:{name}.{field.Name}", null);
        }

        bool isRecord = type.GetMethod("<Clone>$") is not null || type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null;
        foreach (PropertyInfo property in type.GetProperties(Declared).Where(property => property.GetIndexParameters().Length == 0 && !(isRecord && IsOfTheRecordsHead(type, property))))
        {
            yield return ($"P:{name}.{property.Name}", null);
        }

        foreach (MethodInfo method in type.GetMethods(Declared).Where(method => !method.IsSpecialName && !method.IsGenericMethod && !isRecord))
        {
            ParameterInfo[] parameters = method.GetParameters();
            if (parameters.All(static parameter => !parameter.ParameterType.IsGenericType && !parameter.ParameterType.IsByRef && !parameter.ParameterType.IsArray && !parameter.ParameterType.IsGenericParameter))
            {
                string list = parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(static parameter => parameter.ParameterType.FullName!.Replace('+', '.')))})";
                yield return ($"M:{name}.{method.Name}{list}", method);
            }
        }
    }

    // The parameters of a record's head are documented on the record.
    private static bool IsOfTheRecordsHead(Type type, PropertyInfo property) =>
        type.GetConstructors().Any(constructor => constructor.GetParameters().Any(parameter => parameter.Name == property.Name));
}
