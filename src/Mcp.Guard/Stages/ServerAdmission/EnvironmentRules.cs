using System.Buffers;
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
        "PATH", "PATHEXT", "COMSPEC", "SYSTEMROOT", "WINDIR", "BASH_ENV", "ENV", "ZDOTDIR", "IFS", "SHELLOPTS", "BASHOPTS", "PROMPT_COMMAND", "PS4", "CDPATH", "SHELL",
        // loader and C library
        "GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "HOSTALIASES", "RESOLV_HOST_CONF", "GETCONF_DIR", "LIBPATH", "SHLIB_PATH",
        "RES_OPTIONS", "LOCALDOMAIN", "MALLOC_CONF", "_RJEM_MALLOC_CONF", "MALLOC_TRACE", "LIBGL_DRIVERS_PATH", "LIBVA_DRIVERS_PATH", "TERMINFO", "TERMINFO_DIRS", "TERMCAP",
        // runtimes
        "NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NODE_COMPILE_CACHE", "ELECTRON_RUN_AS_NODE", "TS_NODE_PROJECT",
        "NODE_V8_COVERAGE", "NODE_REDIRECT_WARNINGS", "NODE_ICU_DATA", "NODE_USE_ENV_PROXY", "NODE_USE_SYSTEM_CA", "NODE_CHANNEL_FD",
        "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "DOTNET_ROOT", "DOTNET_HOST_PATH", "DOTNET_BUNDLE_EXTRACT_BASE_DIR",
        "DOTNET_GCPATH", "DOTNET_SYSTEM_GLOBALIZATION_APPLOCALICU", "DOTNET_CLI_HOME", "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES", "DOTNET_HOSTINGSTARTUPASSEMBLIES", "PSMODULEPATH",
        "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JDK_JAVAC_OPTIONS", "IBM_JAVA_OPTIONS", "OPENJ9_JAVA_OPTIONS", "JAVA_OPTS", "JAVA_HOME",
        "JVM_OPTS", "SBT_OPTS", "CATALINA_OPTS", "CLASSPATH", "MAVEN_OPTS", "GRADLE_OPTS",
        "GEM_HOME", "GEM_PATH", "PERLLIB", "PHPRC", "PHP_INI_SCAN_DIR", "TCLLIBPATH", "TCL_LIBRARY",
        "LUA_INIT", "LUA_PATH", "LUA_CPATH", "ERL_FLAGS", "ERL_AFLAGS", "R_PROFILE", "R_ENVIRON", "JULIA_LOAD_PATH", "MONO_PATH", "GODEBUG", "GUILE_LOAD_PATH", "GUILE_LOAD_COMPILED_PATH", "OCTAVE_SITE_INITFILE", "OCTAVE_VERSION_INITFILE", "COMPOSER_HOME",
        "GIT_EXEC_PATH", "GIT_ASKPASS", "GIT_PROXY_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_TEMPLATE_DIR",
        "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ALLOW_PROTOCOL",
        "GIT_PROTOCOL_FROM_USER", "GIT_CEILING_DIRECTORIES", "PAGER", "MANPAGER", "LESSOPEN", "LESSCLOSE", "EDITOR", "VISUAL", "SUDO_EDITOR", "SYSTEMD_EDITOR", "VIMINIT", "EXINIT", "INPUTRC", "BROWSER", "SSH_ASKPASS", "SUDO_ASKPASS",
        // TLS
        "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CURL_HOME", "WGETRC", "SYSTEM_WGETRC", "AWS_CA_BUNDLE", "SSLKEYLOGFILE", "OPENSSL_CONF",
        "OPENSSL_MODULES", "OPENSSL_ENGINES", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "HTTPLIB2_CA_CERTS", "KRB5_CONFIG",
        // package sources
        "GOPROXY", "GONOSUMDB", "GONOSUMCHECK", "GONOPROXY", "GOSUMDB", "GOFLAGS", "GOINSECURE", "GOROOT", "GOPATH", "GOENV", "GOBIN",
        "GOTOOLCHAIN", "GOPRIVATE", "RUSTC_WRAPPER", "RUSTC", "RUSTFLAGS", "CC", "CXX", "MAKEFLAGS", "NIX_PATH",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly SearchValues<char> WordStarts = SearchValues.Create(" \t\r\n;&|('\"");

    private static readonly string[] Prefixes =
    [
        "LD_", "DYLD_", "PYTHON", "SSL_", "NPM_CONFIG_", "PIP_", "NUGET_", "UV_", "LUA_PATH_", "LUA_CPATH_", "LUA_INIT_", "DOTNET_ROOT_", "DOTNET_ROOT(",
        "CORECLR_", "COR_", "COMPLUS_", "DOTNET_GCNAME", "DOTNET_DBGENABLEMINIDUMP", "DOTNET_ENABLEPROFILING", "DOTNET_PROFILER", "YARN_", "PNPM_", "BUN_CONFIG_", "BUN_OPTIONS",
        "DOTNET_ALTJIT", "DOTNET_JITNAME", "DOTNET_JITPATH",
        "DOTNET_ENABLEEVENTPIPE", "DOTNET_EVENTPIPE", "DOTNET_DIAGNOSTICPORTS", "DOTNET_CROSSGEN", "MSBUILD", "COREPACK_", "BUN_INSTALL", "RUBY", "PERL5", "GIT_TRACE", "GIT_ATTR_",
        "GTK_", "GIO_", "GST_PLUGIN", "QT_PLUGIN", "QT_QPA_PLATFORM_PLUGIN", "MAGICK_",
        "DENO_", "POETRY_", "PIPX_", "PIPENV_", "CONDA_", "CARGO_", "RUSTUP_", "BUNDLE_", "GIT_CONFIG", "GIT_SSH", "GIT_SSL_", "BASH_FUNC_", "MAVEN_ARGS",
    ];

    /// <summary>
    /// True where a command line sets such a variable itself: <c>env NAME=value program</c> and <c>sh -c 'NAME=value program'</c> would pass what the
    /// environment may not.
    /// </summary>
    public static bool IsSetBy(IReadOnlyList<string> arguments)
    {
        foreach (string argument in arguments)
        {
            ReadOnlySpan<char> rest = argument;
            for (int equals = rest.IndexOf('='); equals >= 0; equals = rest.IndexOf('='))
            {
                ReadOnlySpan<char> before = rest[..equals];
                int start = before.LastIndexOfAny(WordStarts) + 1;
                ReadOnlySpan<char> word = before[start..];
                if (IsForbidden(word.ToString()) || IsForbidden(SplitString(word).ToString()))
                {
                    return true;
                }

                rest = rest[(equals + 1)..];
            }
        }

        return false;
    }

    /// <summary>The command line behind <c>env -S</c> where no blank stands between, also as the last of several options in one; empty where there is none.</summary>
    public static ReadOnlySpan<char> SplitString(ReadOnlySpan<char> argument) =>
        argument.StartsWith('-') && argument.IndexOf('S') is > 0 and int at ? argument[(at + 1)..] : [];

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
