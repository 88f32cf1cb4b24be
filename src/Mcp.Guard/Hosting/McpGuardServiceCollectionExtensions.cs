using Mcp.Guard;
using Mcp.Guard.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts the guard into a host.</summary>
public static class McpGuardServiceCollectionExtensions
{
    /// <summary>
    /// Adds the guard with the recommended defaults and the policy of <c>mcp-guard.json</c> in the content root, where there is one; without it no server is
    /// connected to. Calling it again adds nothing.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    public static McpGuardBuilder AddMcpGuard(this IServiceCollection services) => Add(services, new GuardRegistration(null, null));

    /// <summary>Adds the guard with the policy of a file, which must exist. Calling it again with the same file adds nothing; with another one it throws.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="policyPath">The policy file; a relative path starts at the content root.</param>
    /// <exception cref="InvalidOperationException">The guard was added before with another policy.</exception>
    public static McpGuardBuilder AddMcpGuard(this IServiceCollection services, string policyPath)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(policyPath);
        return Add(services, new GuardRegistration(policyPath, null));
    }

    /// <summary>Adds the guard with a policy that is made in code. Calling it again with the same delegate adds nothing; with another one it throws.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="policy">Makes the policy.</param>
    /// <exception cref="InvalidOperationException">The guard was added before with another policy.</exception>
    public static McpGuardBuilder AddMcpGuard(this IServiceCollection services, Action<GuardPolicyBuilder> policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Add(services, new GuardRegistration(null, policy));
    }

    internal static McpGuardBuilder AddMcpGuard(this IServiceCollection services, Mcp.Guard.Policy.PolicySnapshot policy) =>
        Add(services, new GuardRegistration(null, null) { Snapshot = policy });

    private static McpGuardBuilder Add(IServiceCollection services, GuardRegistration registration)
    {
        ArgumentNullException.ThrowIfNull(services);
        foreach (ServiceDescriptor descriptor in services)
        {
            if (descriptor.ServiceType == typeof(GuardRegistration) && descriptor.ImplementationInstance is GuardRegistration known)
            {
                return known.IsSameAs(registration)
                    ? known.Builder!
                    : throw new InvalidOperationException(
                        "AddMcpGuard was called twice with different policies. Call it once, or with the same file or delegate each time; a host has one policy.");
            }
        }

        var builder = new McpGuardBuilder(services, new GuardParts());
        registration.Builder = builder;
        services.AddSingleton(registration);
        services.AddSingleton<McpGuardHost>(provider => GuardFactory.Create(provider, provider.GetRequiredService<GuardRegistration>()));
        services.AddSingleton<IMcpGuard>(static provider => provider.GetRequiredService<McpGuardHost>());
        services.TryAddSingleton<IMcpHostPolicy>(static provider => provider.GetRequiredService<IMcpGuard>().Policy);
        services.AddSingleton<IHostedService, GuardStartup>();
        return builder;
    }
}
