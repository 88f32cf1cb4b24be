using Microsoft.Extensions.DependencyInjection;

namespace Mcp.Guard.Hosting;

/// <summary>
/// One registered part: how it is made and what it is called in the audit. Parts come only from the builder, so that a service that another package
/// registers later changes nothing.
/// </summary>
internal sealed class GuardPart<T>
    where T : class
{
    private GuardPart(string description, Func<IServiceProvider, T> create)
    {
        Description = description;
        Create = create;
    }

    /// <summary>Type and assembly, or "delegate".</summary>
    public string Description { get; }

    public Func<IServiceProvider, T> Create { get; }

    public static GuardPart<T> Of(T instance) => new(Describe(instance.GetType()), _ => instance);

    public static GuardPart<T> OfFactory(Func<IServiceProvider, T> create) => new($"factory of {typeof(T).Name}", create);

    public static GuardPart<T> OfType<[System.Diagnostics.CodeAnalysis.DynamicallyAccessedMembers(System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes.PublicConstructors)] TImplementation>()
        where TImplementation : class, T =>
        new(Describe(typeof(TImplementation)), static provider => ActivatorUtilities.CreateInstance<TImplementation>(provider));

    private static string Describe(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";
}
