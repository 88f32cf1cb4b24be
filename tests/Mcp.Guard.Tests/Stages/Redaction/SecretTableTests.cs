using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Tests.Stages.Redaction;

/// <summary>The tables of the redactor, each entry by itself: a vendor's prefix, a name, a word that stands for a value.</summary>
[TestFixture]
internal sealed class SecretTableTests
{
    /// <summary>Digits are of every alphabet in which a token is written.</summary>
    private static readonly string Body = string.Concat(Enumerable.Repeat("1234567890", 9));

    [TestCase("aws", "AKIA", "ASIA", "ABIA", "ACCA", "amzn.mws.", "IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdz", "ABSKQmVkcm9ja", "bedrock-api-key-")]
    [TestCase("github-pat", "ghp_")]
    [TestCase("github-oauth", "gho_")]
    [TestCase("github-user", "ghu_")]
    [TestCase("github-server", "ghs_")]
    [TestCase("github-refresh", "ghr_")]
    [TestCase("github-fine", "github_pat_")]
    [TestCase("gitlab-pat", "glpat-")]
    [TestCase("gitlab-deploy", "gldt-")]
    [TestCase("gitlab-runner", "glrt-", "glrtr-", "GR1348941")]
    [TestCase("gitlab-ci", "glcbt-")]
    [TestCase("gitlab-trigger", "glptt-")]
    [TestCase("gitlab-feed", "glft-")]
    [TestCase("gitlab-mail", "glimt-")]
    [TestCase("gitlab-agent", "glagent-")]
    [TestCase("gitlab-oauth", "gloas-")]
    [TestCase("gitlab-scim", "glsoat-")]
    [TestCase("gitlab-flags", "glffct-")]
    [TestCase("huggingface", "hf_", "api_org_")]
    [TestCase("digitalocean", "dop_v1_", "doo_v1_", "dor_v1_")]
    [TestCase("shopify", "shpat_", "shpca_", "shppa_", "shpss_")]
    [TestCase("linear", "lin_api_", "lin_oauth_")]
    [TestCase("newrelic", "NRAK-", "NRJS-", "NRII-", "NRRA-")]
    [TestCase("doppler", "dp.")]
    [TestCase("stripe", "sk_live_", "sk_test_", "whsec_")]
    [TestCase("stripe-restricted", "rk_live_", "rk_test_")]
    [TestCase("google-api", "AIza")]
    [TestCase("google-oauth-secret", "GOCSPX-")]
    [TestCase("google-oauth", "ya29.")]
    [TestCase("google-refresh", "1//0")]
    [TestCase("sentry", "sntrys_", "sntryu_")]
    [TestCase("postman", "PMAK-")]
    [TestCase("grafana-sa", "glsa_")]
    [TestCase("grafana-cloud", "glc_ey")]
    [TestCase("figma", "figd_")]
    [TestCase("slack-bot", "xoxb-")]
    [TestCase("slack-user", "xoxp-")]
    [TestCase("slack-app", "xoxa-", "xapp-")]
    [TestCase("slack-session", "xoxc-", "xoxd-", "xoxs-")]
    [TestCase("slack-refresh", "xoxe.", "xoxe-", "xoxr-")]
    [TestCase("slack-legacy", "xoxo-")]
    [TestCase("anthropic", "sk-ant-")]
    [TestCase("openai", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-", "sk-")]
    [TestCase("openrouter", "sk-or-v1-")]
    [TestCase("pypi", "pypi-")]
    [TestCase("nuget", "oy2")]
    [TestCase("npm", "npm_")]
    [TestCase("databricks", "dapi")]
    [TestCase("age", "AGE-SECRET-KEY-1", "age-secret-key-1", "AGE-PLUGIN-")]
    [TestCase("sendgrid", "SG.")]
    [TestCase("vault", "hvs.", "hvb.", "hvr.", "b.AAAAAQ")]
    [TestCase("mailgun", "key-", "pubkey-")]
    [TestCase("twilio", "SK")]
    [TestCase("atlassian", "ATATT3", "ATCTT3")]
    [TestCase("bitbucket", "ATBB")]
    [TestCase("1password", "ops_eyJ")]
    [TestCase("groq", "gsk_")]
    [TestCase("xai", "xai-")]
    [TestCase("planetscale", "pscale_")]
    [TestCase("replicate", "r8_")]
    [TestCase("supabase", "sbp_")]
    [TestCase("tailscale", "tskey-")]
    [TestCase("docker", "dckr_pat_", "dckr_oat_")]
    [TestCase("circleci", "CCIPAT_")]
    [TestCase("buildkite", "bkua_")]
    [TestCase("netlify", "nfp_")]
    [TestCase("sourcegraph", "sgp_")]
    [TestCase("heroku", "HRKU-")]
    [TestCase("rubygems", "rubygems_")]
    [TestCase("flutterwave", "FLWSECK-", "FLWSECK_")]
    [TestCase("brevo", "xkeysib-")]
    [TestCase("sonar", "squ_", "sqp_")]
    [TestCase("square", "sq0atp-", "sq0csp-")]
    [TestCase("pulumi", "pul-")]
    [TestCase("prefect", "pnu_")]
    [TestCase("readme", "rdme_")]
    [TestCase("typeform", "tfp_")]
    [TestCase("contentful", "CFPAT-")]
    [TestCase("flyio", "FlyV1 f", "fo1_")]
    [TestCase("perplexity", "pplx-")]
    [TestCase("openshift", "sha256~")]
    [TestCase("alibaba", "LTAI")]
    [TestCase("dynatrace", "dt0c01.")]
    [TestCase("easypost", "EZAK", "EZTK")]
    [TestCase("artifactory", "AKCp")]
    [TestCase("trello", "ATTA")]
    [TestCase("vercel", "vercel_blob_rw_", "vcp_", "vci_", "vca_", "vcr_")]
    [TestCase("settlemint", "sm_aat_")]
    [TestCase("scalingo", "tk-us-")]
    [TestCase("lob", "lob_live_")]
    [TestCase("notion", "ntn_", "secret_")]
    [TestCase("clojars", "CLOJARS_")]
    [TestCase("nvidia", "nvapi-")]
    [TestCase("tavily", "tvly-")]
    [TestCase("langsmith", "lsv2_")]
    [TestCase("langfuse", "sk-lf-")]
    [TestCase("posthog", "phx_")]
    [TestCase("render", "rnd_")]
    public void Redact_TokenOfAVendor_IsNamedByItsFamily(string family, params string[] prefixes)
    {
        foreach (string prefix in prefixes)
        {
            Assert.That(SecretRedactor.Default.Redact($"x {prefix}{Body} y"), Is.EqualTo($"x [redacted:{family}] y"), prefix);
        }
    }

    [TestCase("AKIA" + "1234567890123456", true)]
    [TestCase("AKIA" + "123456789012345", false)]
    [TestCase("AKIA" + "1111111111111111", false)]
    [TestCase("xAKIA" + "1234567890123456", true)]
    [TestCase("key-" + "12345678901234567890123456789012", true)]
    [TestCase("monkey-" + "12345678901234567890123456789012", false)]
    [TestCase("2key-" + "12345678901234567890123456789012", false)]
    [TestCase("_key-" + "12345678901234567890123456789012", true)]
    public void Redact_TokenAtTheEdgeOfItsRule_Counts(string text, bool secret) =>
        Assert.That(SecretRedactor.Default.Redact(text), secret ? Does.Contain("[redacted:") : Is.SameAs(text));

    [Test]
    public void KindOf_NameOfASecret_IsSecretInEveryDress([Values("password", "passwd", "pwd", "passphrase", "passcode", "passwort", "kennwort", "userpassword", "secret", "secrets", "clientsecret", "secretkey", "secretaccesskey", "accesskey", "accountkey", "sharedaccesskey", "sharedaccesssignature", "secretkeybase", "storagekey", "storageaccountkey", "githubpat", "gitlabpat", "bitbucketpat", "devopspat", "devopsextpat", "adopat", "dbpass", "userpass", "smtppass", "mailpass", "emailpass", "mysqlpass", "postgrespass", "pgpass", "redispass", "mongopass", "ldappass", "ftppass", "sshpass", "becomepass", "sudopass", "adminpass", "rootpass", "loginpass", "authpass", "mqttpass", "rabbitmqpass", "keypass", "storepass", "dbpw", "userpw", "adminpw", "rootpw", "bindpw", "apikey", "apitoken", "xapikey", "subscriptionkey", "signingkey", "encryptionkey", "masterkey", "authkey", "functionkey", "privatekey", "sshkey", "token", "accesstoken", "refreshtoken", "idtoken", "authtoken", "sastoken", "bearertoken", "bearer", "jwt", "credential", "credentials", "auth", "connectionstring", "token")] string name)
    {
        Assert.That(SensitiveNames.KindOf(name), Is.EqualTo(SensitiveNameKind.Secret));
        Assert.That(SensitiveNames.KindOf(name.ToUpperInvariant()), Is.EqualTo(SensitiveNameKind.Secret));
        Assert.That(SensitiveNames.KindOf(string.Join('-', name.ToCharArray())), Is.EqualTo(SensitiveNameKind.Secret), "separators do not count");
        Assert.That(SensitiveNames.KindOf("some_" + name), Is.EqualTo(name is "auth" or "bearer" or "jwt" ? SensitiveNameKind.None : SensitiveNameKind.Secret));
        Assert.That(SensitiveNames.IsName(name), Is.True);
    }

    [Test]
    public void KindOf_TokenOfAPlace_IsNone([Values("page", "next", "nextpage", "continuation", "sync", "delta", "skip", "cursor", "resume", "prev", "previous", "pagination", "list", "change", "eos", "bos", "pad", "unk", "sep", "cls", "mask", "special", "stop", "start", "end", "progress", "design", "per", "max", "first", "last", "count")] string word)
    {
        Assert.That(SensitiveNames.KindOf(word + "_token"), Is.EqualTo(SensitiveNameKind.None));
        Assert.That(SensitiveNames.KindOf("my" + char.ToUpperInvariant(word[0]) + word[1..] + "Token"), Is.EqualTo(SensitiveNameKind.None));
        Assert.That(SensitiveNames.KindOf(word + "_secret"), Is.EqualTo(SensitiveNameKind.Secret));
    }

    [TestCase("cookie", "Cookie")]
    [TestCase("Cookies", "Cookie")]
    [TestCase("Set-Cookie", "Cookie")]
    [TestCase("document.cookie", "Cookie")]
    [TestCase("Authorization", "Authorization")]
    [TestCase("x-authorization", "Authorization")]
    [TestCase("Proxy-Authorization", "Authorization")]
    [TestCase("PIN", "Pin")]
    [TestCase("cardPin", "Pin")]
    [TestCase("spin", "None")]
    [TestCase("pi", "None")]
    [TestCase("", "None")]
    [TestCase("XMLPassword", "Secret")]
    [TestCase("db2Password", "Secret")]
    [TestCase("PASSWORDHash", "None")]
    [TestCase("passwordHint", "None")]
    [TestCase("dbpassword", "Secret")]
    [TestCase("mypasswd", "Secret")]
    [TestCase("theapikey", "Secret")]
    [TestCase("myconnectionstring", "Secret")]
    [TestCase("tokens", "None")]
    [TestCase("keyboard", "None")]
    [TestCase("userauth", "None")]
    public void KindOf_Name_IsOfItsKind(string name, string kind) => Assert.That(SensitiveNames.KindOf(name).ToString(), Is.EqualTo(kind));

    [TestCase("client_secret", true)]
    [TestCase("Client-Secret", true)]
    [TestCase("client secret", false)]
    [TestCase("client_secret1", false)]
    [TestCase("clientsecrets", false)]
    public void IsName_Value_IsOneOnlyAsAWhole(string value, bool name) => Assert.That(SensitiveNames.IsName(value), Is.EqualTo(name));

    [TestCase("pass", true)]
    [TestCase("PW", true)]
    [TestCase("pas", false)]
    [TestCase("pwd", false)]
    public void IsShort_Name_IsOneOfTwo(string name, bool isShort) => Assert.That(SensitiveNames.IsShort(name), Is.EqualTo(isShort));

    [Test]
    public void IsPlaceholder_Word_IsOne([Values("null", "none", "nil", "true", "false", "undefined", "string", "str", "number", "integer", "int", "bool", "boolean", "object", "array", "any", "text", "varchar", "char", "bytes", "optional", "required", "unknown", "default", "empty", "password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "redacted", "masked", "hidden", "removed", "changeme", "change_me", "change-me", "placeholder", "todo", "n/a", "bearer", "basic", "void", "self", "this", "await", "async", "function", "lambda", "typeof", "return", "yield")] string word)
    {
        Assert.That(Placeholders.Is(word), Is.True);
        Assert.That(Placeholders.Is(word.ToUpperInvariant()), Is.True);
        Assert.That(Placeholders.Is(word + "7xq9"), Is.False, "only as a whole");
    }

    [Test]
    public void IsPlaceholder_Beginning_MakesOne([Values("[redacted", "${", "$(", "{{", "#{", "@{", "%(", "<%", "process.env", "os.environ", "env.", "secrets.", "config.", "settings.", "self.", "this.", "options.", "args.", "var.", "local.", "your-", "your_", "your ", "<your", "insert-", "enter-", "example-", "my-secret-")] string start)
    {
        Assert.That(Placeholders.Is(start + "7xq9"), Is.True);
        Assert.That(Placeholders.Is(start.ToUpperInvariant() + "7xq9"), Is.True);
        Assert.That(Placeholders.Is("7xq9" + start), Is.False, "only at the start");
    }

    [TestCase("abc", true)]
    [TestCase("abcd", false)]
    [TestCase("aaaaaaaa", true)]
    [TestCase("aaaaaaab", false)]
    [TestCase("<abcd>", true)]
    [TestCase("<abcd", false)]
    [TestCase("abcd>", false)]
    [TestCase("{abcd}", true)]
    [TestCase("{abcd", false)]
    [TestCase("abcd}", false)]
    [TestCase("%ABCD%", true)]
    [TestCase("%ABCD", false)]
    [TestCase("ABCD%", false)]
    [TestCase("$TOKEN_2", true)]
    [TestCase("$ecret12", false)]
    [TestCase("TOKEN_2", false)]
    [TestCase("****ab12", true)]
    [TestCase("***ab12", false)]
    [TestCase("\u2022\u2022\u2022\u2022ab12", true)]
    [TestCase("\u2022\u2022\u2022ab12", false)]
    public void IsPlaceholder_Shape_Decides(string value, bool placeholder) => Assert.That(Placeholders.Is(value), Is.EqualTo(placeholder));
}
