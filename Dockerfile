# The agent's image, for docker build and compose.yaml.
#   --target jit  on the .NET runtime (default)
#   --target aot  compiled ahead of time: ready sooner, less memory, a longer build
# Other base images: --build-arg SDK=..., RUNTIME=..., SDK_AOT=..., RUNTIME_AOT=...
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
ARG SDK_AOT=mcr.microsoft.com/dotnet/sdk:10.0-noble-aot
ARG RUNTIME_AOT=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

# Packages are restored again only when one of these files changes.
FROM scratch AS projects
COPY global.json Directory.Build.props Directory.Packages.props /
COPY Consensus.Conformance/Consensus.Conformance.csproj /Consensus.Conformance/
COPY Consensus.Protocol/Consensus.Protocol.csproj /Consensus.Protocol/
COPY Consensus.ServiceDefaults/Consensus.ServiceDefaults.csproj /Consensus.ServiceDefaults/
COPY Consensus.Simulation/Consensus.Simulation.csproj /Consensus.Simulation/
COPY Consensus.Timeline/Consensus.Timeline.csproj /Consensus.Timeline/
COPY Consensus.Agent/Consensus.Agent.csproj /Consensus.Agent/

FROM scratch AS sources
COPY .editorconfig /
COPY docs/glossary.md /docs/
COPY Consensus.Conformance /Consensus.Conformance
COPY Consensus.Protocol /Consensus.Protocol
COPY Consensus.ServiceDefaults /Consensus.ServiceDefaults
COPY Consensus.Simulation /Consensus.Simulation
COPY Consensus.Timeline /Consensus.Timeline
COPY Consensus.Agent /Consensus.Agent

# The tests' build runs the analyzers. They would take half of the time here.
FROM ${SDK_AOT} AS build-aot
WORKDIR /source
COPY --from=projects / .
RUN dotnet restore Consensus.Agent --use-current-runtime -p:PublishAot=true
COPY --from=sources / .
RUN dotnet publish Consensus.Agent --no-restore --use-current-runtime -p:RunAnalyzers=false -p:PublishAot=true -o /app \
 && rm -f /app/*.dbg && mkdir /data

FROM ${RUNTIME_AOT} AS aot
COPY --from=build-aot /app /app
# A new volume takes its owner from this folder: the user "app" of the base images.
COPY --from=build-aot --chown=1654:1654 /data /data
ENV ASPNETCORE_HTTP_PORTS=8080
USER 1654:1654
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s CMD ["/app/Consensus.Agent", "health"]
ENTRYPOINT ["/app/Consensus.Agent"]

FROM ${SDK} AS build-jit
WORKDIR /source
COPY --from=projects / .
RUN dotnet restore Consensus.Agent --use-current-runtime
COPY --from=sources / .
RUN dotnet publish Consensus.Agent --no-restore --use-current-runtime -p:RunAnalyzers=false --no-self-contained -o /app && mkdir /data

FROM ${RUNTIME} AS jit
COPY --from=build-jit /app /app
COPY --from=build-jit --chown=1654:1654 /data /data
# The socket of debuggers and profilers would need a writable folder.
ENV ASPNETCORE_HTTP_PORTS=8080 DOTNET_EnableDiagnostics=0
USER 1654:1654
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s CMD ["/app/Consensus.Agent", "health"]
ENTRYPOINT ["/app/Consensus.Agent"]
