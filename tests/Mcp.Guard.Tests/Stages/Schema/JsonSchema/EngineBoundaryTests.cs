using System.Reflection;
using System.Reflection.Emit;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>The engine could be a package of its own: nothing in its namespace refers to the rest of the guard, or to anything but the base class library.</summary>
[TestFixture]
[Category("OwnTypes")]
internal sealed class EngineBoundaryTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly string Engine = typeof(JsonSchemaProgram).Namespace!;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    [Test]
    public void Types_OfTheEngine_ReferToNothingElse()
    {
        Type[] types = [.. typeof(JsonSchemaProgram).Assembly.GetTypes().Where(IsOwn)];
        string[] foreign = [.. types.SelectMany(type => References(type).Where(used => !IsAllowed(used)).Select(used => $"{type} uses {used}")).Distinct()];
        Assert.That(foreign, Is.Empty);
        Assert.That(types, Has.Length.GreaterThan(60));
    }

    /// <summary>The check itself sees what a method body uses: the adapter outside the engine refers to the guard.</summary>
    [Test]
    public void References_OfTheAdapter_AreSeen() =>
        Assert.That(References(typeof(Mcp.Guard.Stages.Schema.BuiltInSchemaCompiler)).Where(used => !IsAllowed(used)), Is.Not.Empty);

    private static bool IsOwn(Type type) => type.Namespace == Engine || (type.DeclaringType is { } outer && IsOwn(outer));

    private static bool IsAllowed(Type type)
    {
        while (type.HasElementType)
        {
            type = type.GetElementType()!;
        }

        return type.IsGenericParameter
            || IsOwn(type)
            || (type.Namespace is null or "" && type.Assembly == typeof(JsonSchemaProgram).Assembly && type.Name.StartsWith('<'))
            || ((type.Namespace ?? "").StartsWith("System", StringComparison.Ordinal) && type.Assembly.GetName().Name!.StartsWith("System.", StringComparison.Ordinal))
            || type.Namespace is "System.Runtime.CompilerServices" or "Microsoft.CodeAnalysis";
    }

    private static HashSet<Type> References(Type type)
    {
        var used = new HashSet<Type>();
        void Add(Type? one)
        {
            if (one is not null && used.Add(one))
            {
                foreach (Type argument in one.IsGenericType ? one.GetGenericArguments() : [])
                {
                    Add(argument);
                }
            }
        }

        Add(type.BaseType);
        Array.ForEach(type.GetInterfaces(), Add);
        foreach (FieldInfo field in type.GetFields(All))
        {
            Add(field.FieldType);
        }

        foreach (MethodBase method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            Array.ForEach(method.GetParameters(), parameter => Add(parameter.ParameterType));
            Add((method as MethodInfo)?.ReturnType);
            if (method.GetMethodBody() is { } body)
            {
                foreach (LocalVariableInfo local in body.LocalVariables)
                {
                    Add(local.LocalType);
                }

                foreach (MemberInfo member in Members(method, body.GetILAsByteArray()!))
                {
                    Add(member as Type ?? member.DeclaringType);
                }
            }
        }

        return used;
    }

    /// <summary>The types, fields and methods that the instructions of a method name.</summary>
    private static IEnumerable<MemberInfo> Members(MethodBase method, byte[] il)
    {
        Type[] ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : [];
        Type[] ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < il.Length;)
        {
            OpCode code = il[at] == 0xFE ? Codes[(short)(0xFE00 | il[at + 1])] : Codes[il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                yield return method.Module.ResolveMember(BitConverter.ToInt32(il, at), ofType, ofMethod)!;
            }

            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }
}
