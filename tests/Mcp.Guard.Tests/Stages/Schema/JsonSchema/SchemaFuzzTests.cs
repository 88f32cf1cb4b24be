using System.Text;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>Compiles and validates damaged and random texts: no exception, no hang, no answer that differs between two runs.</summary>
[TestFixture]
internal sealed class SchemaFuzzTests
{
    private static readonly JsonSchemaOptions Options = new() { AssertFormat = true };

    [Test]
    public void CompileAndValidate_MutatedSchemas_GivesTypedOutcomesOnly()
    {
        var random = new Random(31_415);
        byte[][] seeds = [.. SchemaFuzz.Seeds.Select(Encoding.UTF8.GetBytes), .. SchemaFuzz.RealSchemas()];
        int programs = 0;
        for (int i = 0; i < SchemaFuzz.Count(20_000); i++)
        {
            byte[] schema = random.Next(8) == 0 ? seeds[random.Next(seeds.Length)] : SchemaFuzz.Mutate(seeds[random.Next(seeds.Length)], random);
            byte[] instance = random.Next(2) == 0 ? seeds[random.Next(seeds.Length)] : SchemaFuzz.Mutate(seeds[random.Next(seeds.Length)], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(schema, Options);
            if (compilation.TryGetProgram(out JsonSchemaProgram? program, out JsonSchemaRejection? rejection))
            {
                programs++;
                JsonSchemaResult first = program.Validate(instance);
                JsonSchemaResult second = program.Validate(instance, 5);
                Assert.That(first.Outcome, Is.Not.EqualTo(JsonSchemaOutcome.None));
                Assert.That(second.Outcome, Is.EqualTo(first.Outcome), $"{Encoding.UTF8.GetString(schema)} | {Encoding.UTF8.GetString(instance)}");
                Assert.That(program.ValidateInTwoSteps(instance).Outcome, Is.EqualTo(first.Outcome), $"{Encoding.UTF8.GetString(schema)} | {Encoding.UTF8.GetString(instance)}");
                Assert.That(second.Errors, Has.Count.LessThanOrEqualTo(5));
            }
            else
            {
                Assert.That(rejection.Code, Is.Not.Empty);
            }

            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 * 1024 * 1024), Encoding.UTF8.GetString(schema));
        }

        Assert.That(programs, Is.GreaterThan(SchemaFuzz.Count(20_000) / 200));
    }

    [Test]
    public void CompileAndValidate_RandomBytes_GivesTypedOutcomesOnly()
    {
        var random = new Random(27_182);
        JsonSchemaProgram program = SchemaTestText.Compile(SchemaFuzz.Seeds[3]);
        for (int i = 0; i < SchemaFuzz.Count(20_000); i++)
        {
            byte[] text = new byte[random.Next(40)];
            random.NextBytes(text);
            JsonSchemaCompilation compilation = JsonSchemaCompiler.Compile(text);
            Assert.That(compilation.Program is null, Is.EqualTo(compilation.Rejection is not null));
            Assert.That(program.Validate(text, 3).Outcome, Is.Not.EqualTo(JsonSchemaOutcome.None));
        }
    }

    [Test]
    public void Validate_ManyThreadsOneProgram_AgreeWithOneThread()
    {
        JsonSchemaProgram program = SchemaTestText.Compile(SchemaFuzz.Seeds[0]);
        byte[][] instances = [.. Enumerable.Range(0, 50).Select(i => Encoding.UTF8.GetBytes($$"""{"a":"{{new string((char)('a' + (i % 30)), (i % 7) + 1)}}","b":{{i * 40}}}"""))];
        JsonSchemaOutcome[] expected = [.. instances.Select(instance => program.Validate(instance).Outcome)];
        Parallel.For(0, 2_000, i => Assert.That(program.Validate(instances[i % 50]).Outcome, Is.EqualTo(expected[i % 50])));
        Assert.That(expected, Does.Contain(JsonSchemaOutcome.Valid).And.Contain(JsonSchemaOutcome.Invalid));
    }
}
