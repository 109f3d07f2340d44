using System.Reflection;

namespace Consensus.Tests.Architecture;

[Trait(Category.Name, Category.Fast)]
public sealed class CategoryTests
{
    [Fact]
    public void Each_class_of_tests_has_one_category()
    {
        var classes = typeof(CategoryTests).Assembly.GetTypes()
            .Where(
                type => !type.IsAbstract && type.GetMethods().Any(method => method.GetCustomAttributes<FactAttribute>(inherit: true).Any()))
            .ToList();
        Assert.NotEmpty(classes);
        foreach (var type in classes)
        {
            var categories = type.GetCustomAttributesData()
                .Where(data => data.AttributeType == typeof(TraitAttribute) && (string?)data.ConstructorArguments[0].Value == Category.Name)
                .Select(data => (string)data.ConstructorArguments[1].Value!).ToList();
            Assert.True(categories.Count == 1, $"{type.Name} has {categories.Count} categories; give it one of {nameof(Category)}.");
            Assert.Contains(categories[0], new[] { Category.Fast, Category.Proof, Category.System });
        }
    }
}
