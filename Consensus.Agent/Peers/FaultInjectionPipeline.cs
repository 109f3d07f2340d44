using Consensus.Agent.Configuration;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.Simmy;
using Polly.Simmy.Behavior;
using Polly.Simmy.Fault;
using Polly.Simmy.Latency;

namespace Consensus.Agent.Peers;

/// <summary>Makes the faults of <see cref="FaultInjector"/> happen, by Polly's chaos strategies.</summary>
internal static class FaultInjectionPipeline
{
    /// <summary>The index of the peer that a request goes to.</summary>
    public static readonly HttpRequestOptionsKey<int> Peer = new("Consensus.Peer");

    private static readonly HttpRequestOptionsKey<bool> IsCopy = new("Consensus.Copy");
    private static readonly ResiliencePropertyKey<Fault> OfCall = new("Consensus.Fault");

    /// <summary>A call was lost on purpose.</summary>
    internal sealed class LostOnPurposeException() : HttpRequestException("lost on purpose");

    /// <summary>Outgoing calls: lost, delayed, or sent twice, by the current faults of <see cref="FaultInjector"/>.</summary>
    public static void AddOutgoing(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, IServiceProvider services)
    {
        var faults = services.GetRequiredService<FaultInjector>();
        AddLossAndDelay(pipeline, Of);
        pipeline.AddChaosBehavior(new ChaosBehaviorStrategyOptions
        {
            InjectionRateGenerator = args => Rate(Of(args.Context).Duplicate),
            EnabledGenerator = args => ValueTask.FromResult(
                Of(args.Context).Duplicate > 0 && args.Context.GetRequestMessage()?.Options.TryGetValue(IsCopy, out _) != true),
            BehaviorGenerator = args => SendCopyAsync(args.Context, services),
        });

        Fault Of(ResilienceContext context) =>
            context.GetRequestMessage() is { } request && request.Options.TryGetValue(Peer, out var peer) ? faults.Outgoing(peer) : default;
    }

    /// <summary>Incoming calls: lost or delayed. The caller of this method duplicates them.</summary>
    public static ResiliencePipeline Incoming() => AddLossAndDelay(
        new ResiliencePipelineBuilder(), context => context.Properties.GetValue(OfCall, default)).Build();

    /// <summary>Applies <paramref name="fault"/> to one incoming call.</summary>
    /// <exception cref="LostOnPurposeException">The call is lost.</exception>
    public static async Task LoseOrDelayAsync(this ResiliencePipeline incoming, Fault fault)
    {
        // Not cancelled when the caller gives up: what was delayed arrives all the same.
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.Properties.Set(OfCall, fault);
        try
        {
            await incoming.ExecuteAsync(static _ => ValueTask.CompletedTask, context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static TBuilder AddLossAndDelay<TBuilder>(TBuilder pipeline, Func<ResilienceContext, Fault> faultOf)
        where TBuilder : ResiliencePipelineBuilderBase => pipeline
        .AddChaosFault(new ChaosFaultStrategyOptions
        {
            InjectionRateGenerator = args => Rate(faultOf(args.Context).Drop),
            EnabledGenerator = args => ValueTask.FromResult(faultOf(args.Context).Drop > 0),
            FaultGenerator = _ => ValueTask.FromResult<Exception?>(new LostOnPurposeException()),
        })
        .AddChaosLatency(new ChaosLatencyStrategyOptions
        {
            InjectionRate = 1,
            EnabledGenerator = args => ValueTask.FromResult(faultOf(args.Context).DelayMs > 0),
            LatencyGenerator = args => ValueTask.FromResult(TimeSpan.FromMilliseconds(faultOf(args.Context).DelayMs)),
        });

    private static ValueTask<double> Rate(int percent) => ValueTask.FromResult(percent / 100.0);

    private static async ValueTask SendCopyAsync(ResilienceContext context, IServiceProvider services)
    {
        var request = context.GetRequestMessage()!;
        var copy = new HttpRequestMessage(request.Method, request.RequestUri);
        foreach (var header in request.Headers)
        {
            copy.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        if (request.Content is { } content)
        {
            copy.Content = new ByteArrayContent(await content.ReadAsByteArrayAsync(context.CancellationToken));
            copy.Content.Headers.ContentType = content.Headers.ContentType;
        }

        copy.Options.Set(IsCopy, true);
        _ = ForgetAsync(services.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(PeerClient)),
            copy, services.GetRequiredService<AgentOptions>().CallTimeout);
    }

    private static async Task ForgetAsync(HttpClient http, HttpRequestMessage copy, TimeSpan atMost)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using (copy)
        {
            try
            {
                using var timeout = new CancellationTokenSource(atMost);
                using var response = await http.SendAsync(copy, timeout.Token);
            }
#pragma warning disable CA1031 // The response to a copy is not used, so no failure of it matters.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }
}
