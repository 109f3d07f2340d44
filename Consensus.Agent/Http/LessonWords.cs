using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Consensus.Agent.Http;

/// <summary>The words of the lessons as HTML, without the hints that the page's script adds.</summary>
internal sealed partial class LessonWords
{
    private readonly List<(string Title, List<string> Parts)> _lessons = [];

    /// <summary>Reads <c>lessons.json</c>.</summary>
    public LessonWords(string path)
    {
        using var lessons = JsonDocument.Parse(File.ReadAllText(path));
        foreach (var lesson in lessons.RootElement.EnumerateArray())
        {
            List<string> parts = [.. lesson.GetProperty("parts").EnumerateArray().Select(part => part[1].GetString()!)];
            if (lesson.TryGetProperty("task", out var task))
            {
                parts.Add(task.GetProperty("text").GetString()!);
            }

            _lessons.Add((lesson.GetProperty("title").GetString()!, parts));
        }
    }

    /// <summary>The place that an address names: from 0, in range.</summary>
    public (int Lesson, int Part) PlaceOf(string? lesson, string? part)
    {
        var first = Within(lesson, _lessons.Count);
        return (first, Within(part, _lessons[first].Parts.Count));
    }

    /// <summary>The words of one part.</summary>
    public string At((int Lesson, int Part) place)
    {
        var (title, parts) = _lessons[place.Lesson];
        var words = Hint().Replace(parts[place.Part], "$1");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<div class=\"card lesson\"><h2>{place.Lesson + 1}. "
                + $"{HtmlEncoder.Default.Encode(title)}</h2><p class=\"words\">{HtmlEncoder.Default.Encode(words)}</p></div>");
    }

    private static int Within(string? text, int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Math.Clamp(number - 1, 0, count - 1) : 0;

    [GeneratedRegex(@"\{(?:[^}|]*\|)?([^}]*)\}")]
    private static partial Regex Hint();
}
