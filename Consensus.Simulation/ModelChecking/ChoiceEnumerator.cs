using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Makes every draw a branch. A step is repeated with the next script until all scripts were tried.</summary>
internal sealed class ChoiceEnumerator : IRandomSource
{
    private readonly List<(int Choice, int Bound)> _script = [];
    private int _position;

    /// <summary>Makes the choices after those of the script; null: each is the first that is possible.</summary>
    public IRandomSource? Chance { get; set; }

    public int Next(int bound)
    {
        if (_position == _script.Count)
        {
            _script.Add((Chance?.Next(bound) ?? 0, bound));
        }

        var choice = _script[_position].Choice;
        _script[_position++] = (choice, bound);
        return choice;
    }

    /// <summary>The choices of the step so far.</summary>
    public IEnumerable<int> Choices => _script.Select(made => made.Choice);

    /// <summary>Begins the scripts of another step.</summary>
    /// <param name="choices">The first choices of the first script.</param>
    public void Begin(params ReadOnlySpan<int> choices)
    {
        _position = 0;
        _script.Clear();
        foreach (var choice in choices)
        {
            _script.Add((choice, 0));
        }
    }

    /// <summary>Whether the step made this number of choices and each is below its bound.</summary>
    public bool HasMade(int choices) =>
        _position == choices && _script.Count == choices && _script.TrueForAll(made => made.Choice < made.Bound);

    /// <summary>Goes to the next script.</summary>
    /// <returns>False when all scripts were tried.</returns>
    public bool Advance()
    {
        _position = 0;
        while (_script.Count > 0)
        {
            var (choice, bound) = _script[^1];
            _script.RemoveAt(_script.Count - 1);
            if (choice + 1 < bound)
            {
                _script.Add((choice + 1, bound));
                return true;
            }
        }

        return false;
    }
}
