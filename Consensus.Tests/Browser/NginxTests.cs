using System.Diagnostics;
using Consensus.Conformance;
using Consensus.Tests.Api;
using Microsoft.Playwright;

namespace Consensus.Tests.Browser;

/// <summary>The page through a real nginx that buffers, as it does by default.</summary>
[Collection(Chromium.Live)]
[Trait(Category.Name, Category.System)]
public sealed class NginxTests(Chromium chromium) : ThreeAgents
{
    private static readonly string Executable = Environment.GetEnvironmentVariable("NGINX_PATH") ?? "/usr/sbin/nginx";

    [SkippableFact]
    public async Task Behind_a_proxy_that_buffers_the_page_follows_a_run_as_it_happens()
    {
        if (!File.Exists(Executable))
        {
            MissingTool.Report($"There is no nginx at {Executable}: install it, or set NGINX_PATH.");
        }

        using var nginx = await StartAsync(Cluster.Addresses[0]);

        // Without a poll, the page learns everything from the stream.
        await using var tab = await chromium.OpenAsync(nginx.Address, script: "window.setInterval = () => 0;");
        await tab.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Clients[0].Post("/run?wait=30");
        await tab.VerdictAsync("good");
        Assert.Empty(tab.Errors);
    }

    [SkippableFact]
    public async Task Behind_a_path_of_a_proxy_every_tab_works()
    {
        if (!File.Exists(Executable))
        {
            MissingTool.Report($"There is no nginx at {Executable}: install it, or set NGINX_PATH.");
        }

        using var nginx = await StartAsync(Cluster.Addresses[0]);
        var root = new Uri(nginx.Address, "/consensus/");
        await using var tab = await chromium.OpenAsync(new Uri(root, "learn/?lesson=2"));
        await Assertions.Expect(tab.Page.Locator("#lesson-title")).ToContainTextAsync("2. ");
        await tab.Page.ClickAsync("#tab-live");
        await tab.Page.ClickAsync("#run");
        await tab.VerdictAsync("good");
        await tab.Page.ClickAsync("#tab-explore");
        await tab.Page.ClickAsync("[data-step='s1.2']");
        await tab.AddressEndsAsync("/consensus/explore?path=s1.2");
        await tab.Page.ClickAsync("#tab-simulate");
        await tab.Page.WaitForSelectorAsync("#simulate .mark");
        await tab.Page.GotoAsync(new Uri(root, "nonsense").ToString());
        await tab.Page.ClickAsync("text=Learn");
        await tab.AddressEndsAsync("/consensus/learn?lesson=1&part=1");
    }

    private static async Task<Nginx> StartAsync(Uri agent)
    {
        using var http = new HttpClient();
        for (var tries = 1; ; tries++)
        {
            // Somebody else may take the port before nginx does.
            var nginx = new Nginx(LoopbackPorts.Free(1)[0], agent);
            if (await nginx.AnswersAsync(http))
            {
                return nginx;
            }

            var said = nginx.Output;
            nginx.Dispose();
            Assert.True(tries < 5, $"nginx does not start: {said}");
        }
    }

    private sealed class Nginx : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-nginx-");
        private readonly Process _process;

        public Nginx(int port, Uri agent)
        {
            Address = new Uri($"http://localhost:{port}");
            var folder = _folder.FullName;
            File.WriteAllText(Path.Combine(folder, "nginx.conf"), $$"""
                daemon off;
                master_process off;
                pid {{folder}}/pid;
                error_log {{folder}}/error.log;
                events {}
                http {
                  access_log off;
                  client_body_temp_path {{folder}}/body;
                  proxy_temp_path {{folder}}/proxy;
                  fastcgi_temp_path {{folder}}/fastcgi;
                  uwsgi_temp_path {{folder}}/uwsgi;
                  scgi_temp_path {{folder}}/scgi;
                  server {
                    listen 127.0.0.1:{{port}};
                    listen [::1]:{{port}};
                    location /consensus/ {
                      proxy_pass http://127.0.0.1:{{agent.Port}}/;
                      proxy_set_header Host $http_host;
                    }
                    location / {
                      proxy_pass http://127.0.0.1:{{agent.Port}};
                      proxy_set_header Host $http_host;
                      proxy_buffering on;
                    }
                  }
                }
                """);
            string[] arguments = ["-p", folder, "-c", "nginx.conf", "-e", Path.Combine(folder, "error.log")];
            _process = Process.Start(new ProcessStartInfo(Executable, arguments) { RedirectStandardError = true })!;
        }

        public Uri Address { get; }

        public string Output =>
            _process.HasExited ? _process.StandardError.ReadToEnd() : File.ReadAllText(Path.Combine(_folder.FullName, "error.log"));

        /// <summary>Waits until it answers; false where it ended.</summary>
        public async Task<bool> AnswersAsync(HttpClient http)
        {
            for (var deadline = DateTime.UtcNow.AddSeconds(30); DateTime.UtcNow < deadline && !_process.HasExited;)
            {
                try
                {
                    using var answer = await http.GetAsync(new Uri(Address, "/state"));
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    await Task.Yield();
                }
            }

            return false;
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                _process.WaitForExit();
            }

            _process.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}
