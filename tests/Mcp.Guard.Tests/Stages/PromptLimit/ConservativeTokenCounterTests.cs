using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.PromptLimit;

namespace Mcp.Guard.Tests.Stages.PromptLimit;

/// <summary>The built-in counter against the exact one: never fewer, on real text of many scripts and on text made to break it.</summary>
[TestFixture]
internal sealed class ConservativeTokenCounterTests
{
    private static readonly TiktokenCounter Exact = new("o200k_base");

    /// <summary>Article 1 of the Universal Declaration of Human Rights (United Nations, public domain), and the factor that the bound stays under.</summary>
    private static readonly TestCaseData[] Texts =
    [
        new("English", "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.", 3.0),
        new("German", "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.", 3.0),
        new("Russian", "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.", 5.5),
        new("Greek", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.", 5.5),
        new("Arabic", "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.", 5.5),
        new("Hebrew", "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה.", 5.5),
        new("Hindi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।", 5.5),
        new("Bengali", "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে। তাঁদের বিবেক এবং বুদ্ধি আছে; সুতরাং সকলেরই একে অপরের প্রতি ভ্রাতৃত্বসুলভ মনোভাব নিয়ে আচরণ করা উচিত।", 5.5),
        new("Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ", 5.5),
        new("Chinese", "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。", 3.0),
        new("Japanese", "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。", 3.0),
        new("Korean", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.", 4.0),
        new("Georgian", "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით. მათ მინიჭებული აქვთ გონება და სინდისი და ერთმანეთის მიმართ უნდა იქცეოდნენ ძმობის სულისკვეთებით.", 5.5),
        new("Armenian", "Բոլոր մարդիկ ծնվում են ազատ ու հավասար իրենց արժանապատվությամբ ու իրավունքներով։ Նրանք ունեն բանականություն ու խիղճ և միմյանց պետք է եղբայրաբար վերաբերվեն։", 5.5),
        new("Tamil", "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்; அவர்கள் மதிப்பிலும், உரிமைகளிலும் சமமானவர்கள், அவர்கள் நியாயத்தையும் மனச்சாட்சியையும் இயற்பண்பாகப் பெற்றவர்கள்.", 5.5),
        new("Code", "public static int Count(ReadOnlySpan<char> text)\n{\n    for (int i = 0; i < text.Length; i++)\n    {\n        total += text[i] == '\\n' ? 1 : 0;\n    }\n\n    return total;\n}\n", 3.0),
        new("JSON", "{\"name\":\"write_file\",\"arguments\":{\"path\":\"/srv/project/README.md\",\"content\":\"# Title\\n\\n12345 lines\",\"mode\":420}}", 3.0),
        new("Emoji", "Done 🎉🎉 👩‍👩‍👧‍👦 ✅ 🇩🇪 👍🏽 — café naïve résumé “quoted” …", 3.0),
    ];

    [TestCaseSource(nameof(Texts))]
    public void Count_RealText_IsAtLeastTheTruthAndWithinTheStatedFactor(string language, string text, double factor)
    {
        int truth = Exact.Count(text);
        int bound = ConservativeTokenCounter.Instance.Count(text);
        TestContext.Out.WriteLine($"{language}: {truth} tokens, bound {bound}, factor {(double)bound / truth:F2}");
        Assert.That(bound, Is.GreaterThanOrEqualTo(truth).And.LessThanOrEqualTo(truth * factor));
    }

    [Test]
    public void Count_SmallestTexts_AreAtLeastTheTruth()
    {
        // Not in attributes: those are kept as UTF-8, which has no lone surrogate, and U+FFFD would stand there.
        foreach ((string text, int least) in ((string, int)[])[("", 0), ("\ud800", 1), ("a\udc00b\ud800", 4)])
        {
            Assert.That(ConservativeTokenCounter.Instance.Count(text), Is.GreaterThanOrEqualTo(Math.Max(least, Exact.Count(text))), least.ToString(CultureInfo.InvariantCulture));
        }
    }

    [Test]
    public void Count_EveryCharacterAloneAndBetweenOthers_IsAtLeastTheTruth()
    {
        var wrong = new List<string>();
        for (int c = 0; c < 0x20000; c++)
        {
            if (!Rune.IsValid(c) || (c % 7 != 0 && c is > 0x3000 and not (>= 0x1F300 and < 0x1F700)))
            {
                continue;
            }

            string one = new Rune(c).ToString();
            foreach (string text in (string[])[one, one + one + one, $" {one}a", $"日{one}本"])
            {
                if (ConservativeTokenCounter.Instance.Count(text) < Exact.Count(text))
                {
                    wrong.Add($"U+{c:X4} in '{text}'");
                }
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Count_AdversarialText_IsNeverLessThanTheTruth()
    {
        // Tokens of the vocabulary as text, so that merges across neighbours happen; and signs around which the splitting pattern changes.
        string[] tokens = [.. O200kVocabulary.Read().Order(StringComparer.Ordinal).Select(t => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(t)))];
        Gen<string> token = Gen.Choose(0, tokens.Length - 1).Select(i => tokens[i]);
        Gen<string> seam = Gen.Elements(
            "'", "'s", "'S", "'ll", "'LL", "'re", "don't", "it'sab", "x'llama", "'tis", "’s", "'ſ", " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2028",
            "/", "//", "\n/", "!", "!\n/!", "0", "12", "1234", "٣", "٣1", "2٣", "½", "A", "aB", "ABc", "ǅ", "ʰ", "日", "日A", "\u0301", "A\u0301B", "e\u0301", "\u0000", "\u001c",
            "\u007f", "\ud800", "\udc00", "🙂", "👩‍👩‍👧‍👦", "�", "<|endoftext|>", "\u200b", "\ufeff", "Ⅷ", "ß", "İ");
        Gen<string> anyCharacter = Gen.Choose(0, 0x10FFFF).Select(c => Rune.IsValid(c) ? new Rune(c).ToString() : ((char)c).ToString());
        Gen<string> ascii = Gen.Choose(0, 127).Select(c => ((char)c).ToString());
        Gen<string> letter = Gen.Choose('a', 'z').Select(c => ((char)c).ToString());
        Gen<string> rareLetters = Gen.Elements("q", "x", "z", "j", "v", "Q", "X", "Z", "J", "W").NonEmptyListOf().Select(string.Concat);
        Gen<string> sameScript =
            from start in Gen.Elements(0xC0, 0x370, 0x400, 0x530, 0x590, 0x600, 0x900, 0x980, 0xA80, 0xB80, 0xD00, 0xE00, 0x10A0, 0x1780, 0x2000, 0x3040, 0x4E00, 0xAC00, 0xFF00)
            from offsets in Gen.Choose(0, 0x7F).NonEmptyListOf()
            select string.Concat(offsets.Select(o => (char)(start + o)));
        Gen<string> part = Gen.Frequency((4, token), (4, seam), (1, anyCharacter), (2, ascii), (2, letter), (1, rareLetters), (1, sameScript));
        Prop.ForAll(part.ListOf().Select(string.Concat).ToArbitrary(), text =>
        {
            int truth = Exact.Count(text);
            int bound = ConservativeTokenCounter.Instance.Count(text);
            if (bound < truth)
            {
                throw new AssertionException($"{bound} < {truth}: {string.Join(' ', text.Select(c => ((int)c).ToString("X4", null)))}");
            }
        }).Check(Properties.Config().WithEndSize(200).WithReplay(20261122, 7));
    }

    [Test]
    public void Count_LongUniformText_IsAtLeastTheTruth()
    {
        foreach (string unit in (string[])[" ", "\n", "a", "A", "0", "=", "-", "/", "\t", "é", "日", "🙂", "ab", "' ", "\r\n", " \n", "\\n"])
        {
            foreach (int count in (int[])[1, 2, 3, 63, 64, 65, 100, 128, 129, 1000])
            {
                string text = string.Concat(Enumerable.Repeat(unit, count));
                Assert.That(ConservativeTokenCounter.Instance.Count(text), Is.GreaterThanOrEqualTo(Exact.Count(text)), $"{count} of '{unit}'");
                Assert.That(ConservativeTokenCounter.Instance.Count(text + "x"), Is.GreaterThanOrEqualTo(Exact.Count(text + "x")), $"{count} of '{unit}' and x");
            }
        }
    }

    [Test]
    [Category("Allocation")]
    public void Count_TextThatIsRead_TakesNoMemory()
    {
        string text = string.Concat(Texts.Select(t => (string)t.Arguments[1]!));
        long least = long.MaxValue;
        for (int i = 0; i < 20; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            ConservativeTokenCounter.Instance.Count(text);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
    }
}
