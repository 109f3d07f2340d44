using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Makes every draw a branch: a step is repeated with the next script until all were played.</summary>
internal sealed class ChoiceEnumerator : IRandomSource
{
    private readonly List<(int Choice, int Bound)> _script = [];
    private int _position;

    public int Next(int bound)
    {
        if (_position == _script.Count)
        {
            _script.Add((0, bound));
        }

        return _script[_position++].Choice;
    }

    /// <summary>Before the first time a step is played.</summary>
    public void Begin() => (_position, _) = (0, _script.RemoveAll(_ => true));

    /// <summary>Turns to the next script; false when all were played.</summary>
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
