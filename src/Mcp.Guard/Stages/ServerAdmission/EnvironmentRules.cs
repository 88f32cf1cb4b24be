using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Environment variables that change which code a process runs, whom it trusts or where its packages come from. They are never taken from a
/// list; the policy has keys of its own for the few that a server can need (S3).
/// </summary>
internal static class EnvironmentRules
{
    private static readonly FrozenSet<string> Names = new[]
    {
        // search path and shell
        "PATH", "PATHEXT", "COMSPEC", "SYSTEMROOT", "WINDIR", "BASH_ENV", "ENV", "ZDOTDIR", "IFS", "SHELLOPTS", "BASHOPTS", "PROMPT_COMMAND", "PS4", "CDPATH",
        // loader and C library
        "GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "HOSTALIASES", "RESOLV_HOST_CONF", "GETCONF_DIR", "LIBPATH", "SHLIB_PATH",
        // runtimes
        "NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NODE_COMPILE_CACHE", "ELECTRON_RUN_AS_NODE", "TS_NODE_PROJECT",
        "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "DOTNET_ROOT", "DOTNET_HOST_PATH", "DOTNET_BUNDLE_EXTRACT_BASE_DIR",
        "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "CLASSPATH", "MAVEN_OPTS", "GRADLE_OPTS",
        "RUBYOPT", "RUBYLIB", "GEM_HOME", "GEM_PATH", "BUNDLE_GEMFILE", "PERL5OPT", "PERL5LIB", "PERLLIB", "PERL5DB", "PHPRC", "PHP_INI_SCAN_DIR",
        "LUA_INIT", "LUA_PATH", "LUA_CPATH", "ERL_FLAGS", "ERL_AFLAGS", "R_PROFILE", "R_ENVIRON", "JULIA_LOAD_PATH", "MONO_PATH", "GODEBUG",
        "GIT_EXEC_PATH", "GIT_ASKPASS", "GIT_PROXY_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_TEMPLATE_DIR",
        "PAGER", "EDITOR", "VISUAL",
        // TLS
        "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSLKEYLOGFILE", "OPENSSL_CONF",
        "OPENSSL_MODULES", "OPENSSL_ENGINES",
        // package sources
        "GOPROXY", "GONOSUMDB", "GONOSUMCHECK", "GONOPROXY", "GOSUMDB", "GOFLAGS", "GOINSECURE", "RUSTC_WRAPPER", "COREPACK_NPM_REGISTRY",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] Prefixes =
    [
        "LD_", "DYLD_", "PYTHON", "SSL_", "NPM_CONFIG_", "PIP_", "NUGET_", "UV_", "LUA_PATH_", "LUA_CPATH_", "LUA_INIT_", "DOTNET_ROOT_", "DOTNET_ROOT(",
        "CORECLR_", "COR_", "COMPLUS_", "DOTNET_GCNAME", "DOTNET_DBGENABLEMINIDUMP", "DOTNET_ENABLEPROFILING", "DOTNET_PROFILER", "YARN_", "PNPM_", "BUN_CONFIG_", "BUN_OPTIONS",
        "DENO_", "POETRY_", "PIPX_", "PIPENV_", "CONDA_", "CARGO_", "RUSTUP_", "BUNDLE_", "GIT_CONFIG", "GIT_SSH", "GIT_SSL_", "BASH_FUNC_", "MAVEN_ARGS",
    ];

    /// <summary>True for a variable that no list can permit; case is ignored, as npm and Windows do.</summary>
    public static bool IsForbidden(string name)
    {
        if (Names.Contains(name) || name.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        foreach (string prefix in Prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
