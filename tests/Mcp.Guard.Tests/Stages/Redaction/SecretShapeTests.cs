using System.Diagnostics;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Tests.Stages.Redaction;

/// <summary>Shapes in which a second reader found secrets that got through, benign text that did not come back, and texts that took more than linear time.</summary>
[TestFixture]
internal sealed class SecretShapeTests
{
    private const string Value = "Xk9dPq2LmN8vRt5w";
    private const string Key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    /// <summary>Put together here so that no scanner takes this file for a leak.</summary>
    private static readonly string Pat = "ghp_" + "J44BUcHAolMavlSRMOXwGXYnNptsRZzMSjWF";

    [TestCase("curl https://a/?x={1} -o out")]
    [TestCase("curl -H 'X: {1}' -o f")]
    [TestCase("mysql -h {1} -x")]
    [TestCase("{\"kty\":\"RSA\",\"note\":\"{1}\"}")]
    [TestCase("\"kty\" and then {1}")]
    [TestCase("<RSAKeyValue> and {1}")]
    [TestCase("{\"d\":\"{0}\",\"x5u\":\"https://a.example/k\",\"kty\":\"EC\"}")]
    [TestCase("{\"d\":\"{0}\",\"ext\":{\"a\":1},\"kty\":\"EC\"}")]
    [TestCase("{\"kty\":\"EC\",\"ext\":{\"a\":1},\"d\":\"{0}\"}")]
    [TestCase("curl \\\n  -u anna:{0} \\\n https://a")]
    [TestCase("curl -X POST https://a \\\n  --user anna:{0}")]
    [TestCase("curl -u anna:\"{0}\" https://a")]
    [TestCase("curl -u \"anna\":\"{0}\" https://a")]
    [TestCase("curl -sSu anna:{0} https://a")]
    [TestCase("curl -Lku anna:{0} https://a")]
    [TestCase("curl.exe -u anna:{0} https://a")]
    [TestCase("curl\t-u anna:{0} https://a")]
    [TestCase("\"curl -u \\\"anna:{0}\\\" x\"")]
    [TestCase("\"cmd\":\"curl -u 'anna:{0}' x\"")]
    [TestCase("curl -H 'Content-Type: application/json; charset=utf-8' -u anna:{0}")]
    [TestCase("curl -d '{\"a\":\"b|c\"}' -u anna:{0} https://a")]
    [TestCase("curl -u 'anna:ab;{0}' https://a")]
    [TestCase("curl -Uanna:{0} -x p https://a")]
    [TestCase("curl --oauth2-bearer {0} https://a")]
    [TestCase("curl --proxy-user=anna:{0}")]
    [TestCase("sqlcmd -S srv -U sa -P{0}")]
    [TestCase("sqlcmd -S srv -U sa -P \"{0}\"")]
    [TestCase("unzip -P{0} a.zip")]
    [TestCase("smbclient -Uanna%{0} //a/b")]
    [TestCase("smbclient -U 'anna%{0}' //a/b")]
    [TestCase("redis-cli -a{0}")]
    [TestCase("redis-cli --user u --pass {0} ping")]
    [TestCase("mongosh -u a -p{0}")]
    [TestCase("mongodump -u a -p {0}")]
    [TestCase("mongoexport -u a -p {0}")]
    [TestCase("mysql -e \"a;b\" -uroot -p{0}")]
    [TestCase("mysql -uroot -p\"ab cd{0}\"")]
    [TestCase("mysql -uroot -pab\\ cd{0}")]
    [TestCase("mysql -uroot -p\\\"{0}\\\" x")]
    [TestCase("sshpass -p \\\"{0}\\\" ssh a")]
    [TestCase("sshpass -p\"{0}\" ssh a")]
    [TestCase("sshpass -p{0} ssh a")]
    [TestCase("openssl rsa -passin 'pass:{0}' -in a")]
    [TestCase("openssl rsa -passin \"pass:{0}\" -in a")]
    [TestCase("openssl rsa -passin pass:\"{0}\" -in a")]
    [TestCase("openssl rsa -passin pass:'{0}' -in a")]
    [TestCase("openssl pkcs12 -password pass:{0} -in a")]
    [TestCase("ldapsearch -x -w '{0}' -b x")]
    [TestCase("ldappasswd -w {0} -s x")]
    [TestCase("ldapsearch -xw {0}")]
    [TestCase("plink -ssh -pw \"{0}\" a")]
    [TestCase("pscp -pw {0} a b:")]
    [TestCase("psftp -pw {0} a")]
    [TestCase("CREATE USER 'a'@'h' IDENTIFIED WITH mysql_native_password BY '{0}';")]
    [TestCase("CREATE USER a IDENTIFIED BY {0};")]
    [TestCase("CREATE USER a IDENTIFIED BY  '{0}';")]
    [TestCase("CREATE USER a IDENTIFIED BY\n'{0}';")]
    [TestCase("Create User a Identified By '{0}'")]
    [TestCase("CREATE USER a IDENTIFIED BY 'ab\\'{0}';")]
    [TestCase("CREATE USER a IDENTIFIED BY 'ab''{0}';")]
    [TestCase("\\\"CREATE USER a IDENTIFIED BY \\'{0}\\'\\\"")]
    [TestCase("CREATE USER anna WITH PASSWORD '{0}';")]
    [TestCase("ALTER ROLE anna WITH ENCRYPTED PASSWORD '{0}';")]
    [TestCase("create user anna password '{0}'")]
    [TestCase("CREATE LOGIN a WITH PASSWORD = N'{0}';")]
    [TestCase("SET PASSWORD FOR 'a'@'h' = PASSWORD('{0}');")]
    [TestCase("ConvertTo-SecureString \"{0}\" -AsPlainText -Force")]
    [TestCase("ConvertTo-SecureString -String '{0}' -AsPlainText")]
    [TestCase("password = b'{0}'")]
    [TestCase("password = r\"{0}\"")]
    [TestCase("password = @\"{0}\";")]
    [TestCase("password=$'{0}'")]
    [TestCase("password: str = \"{0}\"")]
    [TestCase("password: string = '{0}';")]
    [TestCase("private apiKey: string | null = '{0}';")]
    [TestCase("const API_KEY: &str = \"{0}\";")]
    [TestCase("const API_KEY: &'static str = \"{0}\";")]
    [TestCase("const apiKey string = \"{0}\"")]
    [TestCase("password: Optional[str] = \"{0}\"")]
    [TestCase("<property name=\"password\">{0}</property>")]
    [TestCase("<property name=\"hibernate.connection.password\">{0}</property>")]
    [TestCase("<entry key='password'>{0}</entry>")]
    [TestCase("<name>db.password</name><value>{0}</value>")]
    [TestCase("<name>db.password</name>\n  <value>{0}</value>")]
    [TestCase("<key>Password</key>\n<string>{0}</string>")]
    [TestCase("<password type=\"x\">{0}</password>")]
    [TestCase("<wsse:Password Type=\"http://a#PasswordText\">{0}</wsse:Password>")]
    [TestCase("<Password xsi:type=\"xsd:string\">{0}</Password>")]
    [TestCase("- name: DB_PASSWORD\n  value: {0}")]
    [TestCase("- name: DB_PASSWORD\n  value: \"{0}\"")]
    [TestCase("{\"name\":\"DB_PASSWORD\",\"value\":\"{0}\"}")]
    [TestCase("{\"name\": \"DB_PASSWORD\",\n \"value\": \"{0}\"}")]
    [TestCase("{\\\"name\\\":\\\"DB_PASSWORD\\\",\\\"value\\\":\\\"{0}\\\"}")]
    [TestCase("Authorization: SSWS {0}")]
    [TestCase("Authorization: GenieKey {0}")]
    [TestCase("Authorization: OAuth {0}")]
    [TestCase("Authorization: Bot {0}")]
    [TestCase("\"Authorization\": \"SSWS {0}\"")]
    [TestCase("-H 'Authorization: Zoho-oauthtoken {0}'")]
    [TestCase("password                              = {0}")]
    [TestCase("password                              : {0}")]
    [TestCase("password = \t\t\t\t\t\t\t\t\t\t\t{0}")]
    [TestCase("{\\\\\\\"password\\\\\\\":\\\\\\\"{0}\\\\\\\"}")]
    [TestCase("{\\\\\\\\\\\\\\\"password\\\\\\\\\\\\\\\":\\\\\\\\\\\\\\\"{0}\\\\\\\\\\\\\\\"}")]
    [TestCase("\"{\"\"password\"\":\"\"{0}\"\"}\"")]
    [TestCase("password = \"\"\"\n{0}\n\"\"\"")]
    [TestCase("password = \"\"\"{0}\"\"\"")]
    [TestCase("\"password\":\n    \"{0}\"")]
    [TestCase("string password =\n    \"{0}\";")]
    [TestCase("\u001b[1mpassword\u001b[0m: {0}")]
    [TestCase("\u001b[1mpassword\u001b[0m=\u001b[32m{0}\u001b[0m")]
    [TestCase("postgres://user:ab/{0}@host/db")]
    [TestCase("amqp://user:ab#{0}@host/db")]
    [TestCase("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.password={0}")]
    [TestCase("export PASSWORD={0}")]
    [TestCase("set PASSWORD={0}")]
    [TestCase("$env:PASSWORD=\"{0}\"")]
    [TestCase("ARG TOKEN={0}")]
    [TestCase("machine h\n  login u\n  password {0}")]
    [TestCase("secret_key => '{0}'")]
    [TestCase(":password => \"{0}\",")]
    [TestCase("password: \"{0}\"")]
    [TestCase("Password={0};User Id=sa")]
    public void Redact_SecretInThisShape_Goes(string template)
    {
        string redacted = SecretRedactor.Default.Redact(template.Replace("{0}", Value, StringComparison.Ordinal).Replace("{1}", Pat, StringComparison.Ordinal));
        Assert.That(redacted, Does.Not.Contain(Value[..8]).And.Not.Contain(Pat[..12]).And.Contain("[redacted:"));
        Assert.That(SecretRedactor.Default.Redact(redacted), Is.SameAs(redacted));
    }

    [TestCase("curl -u anna:{0} https://a.example/", "curl -u anna:[redacted:command-line] https://a.example/")]
    [TestCase("echo 'curl -u anna:{0}', 'other'", "echo 'curl -u anna:[redacted:command-line]', 'other'")]
    [TestCase("[\"curl -u anna:{0}\", \"other\"]", "[\"curl -u anna:[redacted:command-line]\", \"other\"]")]
    [TestCase("curl -u \\\"anna:{0}\\\" https://a", "curl -u \\\"anna:[redacted:command-line]\\\" https://a")]
    [TestCase("curl -u anna:{0} -p x | mysql -ux -p{0}", "curl -u anna:[redacted:command-line] -p x | mysql -ux -p[redacted:command-line]")]
    [TestCase("mysql -p'{0}' shop", "mysql -p'[redacted:command-line]' shop")]
    [TestCase("unzip -P {0} a.zip; ls -P other1", "unzip -P [redacted:command-line] a.zip; ls -P other1")]
    [TestCase("create user a identified by '{0}' and so on", "create user a identified by '[redacted:command-line]' and so on")]
    [TestCase("CREATE USER a IDENTIFIED BY {0} ACCOUNT LOCK", "CREATE USER a IDENTIFIED BY [redacted:command-line] ACCOUNT LOCK")]
    [TestCase("CREATE USER a IDENTIFIED BY 'ab''{0}' x", "CREATE USER a IDENTIFIED BY '[redacted:command-line]' x")]
    [TestCase("{\"password\":\"{0}\\\\\",\"user\":\"anna\"}", "{\"password\":\"[redacted:keyed]\",\"user\":\"anna\"}")]
    [TestCase("{\\\"password\\\":\\\"{0}\\\\\\\"x\\\",\\\"user\\\":1}", "{\\\"password\\\":\\\"[redacted:keyed]\\\",\\\"user\\\":1}")]
    [TestCase("password = \"\"\"{0}\"\"\" + tail", "password = \"\"\"[redacted:keyed]\"\"\" + tail")]
    [TestCase("password: str = \"{0}\"  # note", "password: str = \"[redacted:keyed]\"  # note")]
    [TestCase("<password type=\"x\">{0}</password> after", "<password type=\"x\">[redacted:keyed]</password> after")]
    [TestCase("- name: DB_PASSWORD\n  value: {0}\n- name: B\n  value: after", "- name: DB_PASSWORD\n  value: [redacted:keyed]\n- name: B\n  value: after")]
    [TestCase("Authorization: SSWS {0} after", "Authorization: SSWS [redacted:authorization] after")]
    [TestCase("\u001b[1mpassword\u001b[0m=\u001b[32m{0}\u001b[0m after", "\u001b[1mpassword\u001b[0m=\u001b[32m[redacted:keyed]\u001b[0m after")]
    [TestCase("password=repeated and repeated", "password=[redacted:keyed] and [redacted:repeated]")]
    [TestCase("let password = String::from(x);", "let password = String::from(x);")]
    public void Redact_SecretInThisShape_LeavesWhatStandsAround(string template, string expected) =>
        Assert.That(SecretRedactor.Default.Redact(template.Replace("{0}", Value, StringComparison.Ordinal)), Is.EqualTo(expected));

    [TestCase("docker run --name some-mysql -p3306:3306 -d mysql")]
    [TestCase("After login run docker run -p 8080:80/tcp nginx")]
    [TestCase("The key starts with PuTTY-User-Key-File-2 and then many lines.\nAll of this must stay.")]
    [TestCase("PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\nAAAAB3NzaC1yc2EAAAADAQAB\nand no more")]
    [TestCase("CREATE USER anna IDENTIFIED BY a name that is long")]
    [TestCase("set the PASSWORD 'column' in the table")]
    [TestCase("password: str = Field(...)")]
    [TestCase("password: Optional[str] = None")]
    [TestCase("private apiKey: string = getKey();")]
    [TestCase("{\"name\":\"token\",\"value\":\"string\"}")]
    [TestCase("<label name=\"password\">Password</label>")]
    [TestCase("<password type=\"x\"/> and 1234567 more words")]
    [TestCase("- name: password\n  in: query")]
    [TestCase("http://localhost:3000/@vite/client")]
    [TestCase("https://www.npmjs.com:443/package/@scope/x1")]
    [TestCase("https://a.example:port/@user")]
    [TestCase("https://[::1]:80a/x1@user")]
    [TestCase("password=\"\" user=\"x1234567\"")]
    [TestCase("password='' + other1234567")]
    [TestCase("curl_easy_setopt -u anna:x1234567")]
    [TestCase("curl -s https://a.example/ -- -u")]
    [TestCase("ldapsearch -xZ something1")]
    [TestCase("<RSAKeyValue> is followed by <P>This is a paragraph of text</P>")]
    [TestCase("openssl rsa -passin env:SECRET1234 -in a")]
    [TestCase("ConvertTo-SecureString $value -AsPlainText")]
    [TestCase("password = \n    other.value1")]
    public void Redact_BenignTextInThisShape_ComesBack(string text) => Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));

    [Test]
    public void Redact_KeyWithoutItsEndBeforeOtherDashes_LeavesTheTextBehindIt() =>
        Assert.That(
            SecretRedactor.Default.Redact($"-----BEGIN {"PRIVATE KEY"}-----\n{Key}\n\nA long text.\n-----\nMore"),
            Is.EqualTo("[redacted:private-key]\n\nA long text.\n-----\nMore"));

    [Test]
    public void Redact_KeyWhoseEndLineIsCut_LeavesTheLinesBehindIt() =>
        Assert.That(
            SecretRedactor.Default.Redact($"-----BEGIN {"PRIVATE KEY"}-----\n{Key}\n-----END PRIVATE KEY\nMore -----"),
            Is.EqualTo("[redacted:private-key]\nMore -----"));

    [Test]
    public void Redact_PuttyKey_GoesToItsCodeAndNotFurther()
    {
        string file = $"PuTTY-User-Key-File-{2}: ssh-rsa\nEncryption: none\nComment: a\nPublic-Lines: 2\nAAAAB3NzaC1yc2EAAAADAQAB\nAb3=\nPrivate-Lines: 2\n{Key}\nAb3=\n";
        Assert.That(SecretRedactor.Default.Redact(file + "Private-MAC: 0123456789abcdef0123456789abcdef01234567\nMore text"), Is.EqualTo("[redacted:putty]\nMore text"));
        Assert.That(SecretRedactor.Default.Redact(file + "\nMore text"), Is.EqualTo("[redacted:putty]\n\nMore text"), "without its code");
        Assert.That(SecretRedactor.Default.Redact((file + "Private-MAC: 0123456789abcdef\nMore text").Replace("\n", "\\n", StringComparison.Ordinal)), Is.EqualTo("[redacted:putty]\\nMore text"), "escaped");
    }

    [Test]
    public void Redact_XmlKeyBehindAnEmptyOne_PrivateElementsGo() =>
        Assert.That(SecretRedactor.Default.Redact($"<RSAKeyValue><RSAKeyValue><D>{Key}</D></RSAKeyValue> y"), Is.EqualTo("<RSAKeyValue><RSAKeyValue><D>[redacted:private-key]</D></RSAKeyValue> y"));

    [Test]
    public void Redact_TextOfReplacementsAndTheirHalves_IsIdempotent([Values("token:redacted:keyed]wpasswordL0DQ5OhSaMEPUp[redacted:keyed]wpassword:o-----END", "password=url-credentials password=redacted1 [redacted:url-credentials]")] string text)
    {
        string once = SecretRedactor.Default.Redact(text);
        Assert.That(SecretRedactor.Default.Redact(once), Is.SameAs(once));
    }

    [Test]
    public void Redact_FieldNameLongerThanTheLongest_ItsLastWordsCount()
    {
        string name = string.Concat(Enumerable.Repeat("section.", 40));
        Assert.That(SensitiveNames.KindOf(name + "password"), Is.EqualTo(SensitiveNameKind.Secret));
        Assert.That(SensitiveNames.KindOf(name + "path"), Is.EqualTo(SensitiveNameKind.None));
    }

    /// <summary>Each of these took the square of its length; four times the text may take four times as long, and here the double of that.</summary>
    [TestCase("=1Q~", 1)]
    [TestCase("---- BEGIN SSH2 " + "PRIVATE KEY ----\n", 1)]
    [TestCase("mysql", 1)]
    [TestCase("mysql -p1x2y ", 1)]
    [TestCase("\"kty\"", 1)]
    [TestCase("<RSAKeyValue>", 1)]
    [TestCase("a", 60)]
    public void Redact_FourTimesTheText_TakesTimeInProportion(string unit, int values)
    {
        string Text(int length)
        {
            string head = values == 1 ? "" : string.Concat(Enumerable.Range(0, values).Select(i => $"password=\"{new string('a', length / 240)}{(char)(0x100 + i)}aaaa\" "));
            return head + string.Concat(Enumerable.Repeat(unit, length / unit.Length));
        }

        TimeSpan Best(string text) => Enumerable.Range(0, 3).Min(_ =>
        {
            long start = Stopwatch.GetTimestamp();
            SecretRedactor.Default.Redact(text);
            return Stopwatch.GetElapsedTime(start);
        });

        string small = Text(200_000);
        string large = Text(800_000);
        SecretRedactor.Default.Redact(small);
        Assert.That(Best(large).TotalMilliseconds, Is.LessThan((8 * Best(small).TotalMilliseconds) + 500));
    }
}
