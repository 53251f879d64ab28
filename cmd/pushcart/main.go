// Command pushcart is the media server: hosts push a show in, viewers and CDNs pull low-latency HLS out.
//
//	pushcart [serve] [-c pushcart.yml]   serve until SIGTERM or SIGINT
//	pushcart demo                        serve, with a built-in host who publishes a show
//	pushcart check [file]                say what is wrong with a configuration, and what is in force
//	pushcart key NAME                    print a signed stream key
//	pushcart version
//
// Exit status: 0 when all is well, 1 when something failed, 2 when the command line or the configuration
// is wrong. main.go has the commands, wire.go builds the rooms and joins them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"pushcart/config"
)

// Exit statuses.
const (
	exitFailure = 1
	exitUsage   = 2
)

// shutdownBound is how long shutting down may take before the process gives up. `docker stop` kills after ten
// seconds.
const shutdownBound = 9 * time.Second

type commands struct {
	Serve       serveCmd       `cmd:"" default:"withargs" help:"Serve hosts and viewers (what pushcart does without a command)."`
	Demo        demoCmd        `cmd:"" help:"Serve, with a built-in host who publishes a looping show."`
	Check       checkCmd       `cmd:"" help:"Check a configuration: say all that is wrong with it, or what it overrides."`
	Key         keyCmd         `cmd:"" help:"Print a signed stream key for a show."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Healthcheck healthcheckCmd `cmd:"" hidden:"" help:"Ask the server on this machine whether it is ready (for containers)."`
}

// program is what a command gets: where to write, and the environment.
type program struct {
	stdout, stderr io.Writer
	environ        []string
}

func main() {
	os.Exit(run(os.Args[1:], &program{os.Stdout, os.Stderr, os.Environ()}))
}

// run executes a command line and returns the exit status.
func run(args []string, p *program) int {
	exited := -1
	parser, err := kong.New(new(commands),
		kong.Name("pushcart"),
		kong.Description("Media server for live shopping shows: RTMP in, low-latency HLS out."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(status int) { exited = status }),
	)
	if err != nil {
		panic(err) // the structs above are wrong
	}
	command, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help
		return exited
	case err != nil:
		fmt.Fprintf(p.stderr, "pushcart: %v (pushcart --help lists the commands)\n", err)
		return exitUsage
	}
	err = command.Run(p)
	var wrong config.Errors
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(p.stderr, wrong)
		return exitUsage
	}
	fmt.Fprintf(p.stderr, "pushcart: %v\n", err)
	return exitFailure
}

// configFlag names the configuration.
type configFlag struct {
	Config string `short:"c" placeholder:"FILE" help:"The configuration; ./pushcart.yml by default, if there is one."`
}

func (f configFlag) load(p *program) (*config.Loaded, error) { return config.Load(f.Config, p.environ) }

type serveCmd struct {
	configFlag
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(p *program) error {
	conf, err := c.load(p)
	if err != nil {
		return err
	}
	return p.serve(conf, nil)
}

// serve runs a server with the configuration until SIGTERM or SIGINT; a second signal ends the process at
// once. beside, if not nil, runs as long as the server does, once all listeners are open; an error of its
// own ends the server.
func (p *program) serve(conf *config.Loaded, beside func(context.Context, *server) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	log := conf.Log.Logger(p.stderr)
	go obey(ctx, stop, log)
	s, err := newServer(conf.Config, log)
	if err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	announce(log, conf, s)
	if err := s.run(ctx, beside); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// obey calls stop at the first signal. It ends the process at the second one, or when shutting down takes
// too long. It does so by itself: process 1 of a container has no default for a signal.
func obey(ctx context.Context, stop func(), log *slog.Logger) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case sig := <-signals:
		log.Info("shutting down: shows go on when the server is back", slog.String("signal", sig.String()), slog.Duration("at_most", shutdownBound))
	case <-ctx.Done():
		return // the server has failed, and says why
	}
	stop()
	select {
	case sig := <-signals:
		log.Warn("a second signal: exiting at once", slog.String("signal", sig.String()))
	case <-time.After(shutdownBound):
		log.Error("shutting down took too long: giving up")
	}
	os.Exit(exitFailure)
}

// announce logs what the server listens on, and how to use it.
func announce(log *slog.Logger, conf *config.Loaded, s *server) {
	file := conf.File
	if file == "" {
		file = "none: defaults"
	}
	v, _ := version()
	log.Info("pushcart "+v, slog.String("config", file), slog.Int("overrides", len(conf.Overrides)))
	for _, name := range conf.Unknown {
		log.Warn("there is no such key: ignored", slog.String("variable", name))
	}
	for _, l := range s.listeners {
		log.Info("listening", slog.String("for", l.purpose), slog.String("key", l.key), slog.String("address", l.Addr().String()))
	}
	who := "a stream key (pushcart key NAME)"
	if !conf.Auth.Configured() || conf.Auth.AllowLoopback {
		who = "any name from this machine; from others, a stream key (auth.secret or auth.keys)"
	}
	if url := s.publishURL(); url != "" {
		log.Info("publish", slog.String("server", url), slog.String("key", who))
	}
	if url := s.watchURL("NAME"); url != "" {
		log.Info("watch", slog.String("page", url), slog.String("playlist", url+"index.m3u8"))
	}
}
