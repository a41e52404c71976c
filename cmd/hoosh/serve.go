// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/server"
)

type serveCmd struct {
	Listen   string `placeholder:"HOST:PORT" help:"Where to listen, also unix:PATH. Default: server.listen of the configuration, 127.0.0.1:8088. Port 0 is any free one."`
	Insecure bool   `help:"Serve anyone, without keys."`
	Demo     bool   `help:"Let the built-in echo answer for every model that nobody has."`
}

// probeEvery is how often a server looks how its backends are.
const probeEvery = 15 * time.Second

// Run serves until SIGTERM or an interrupt; then streams under way may end. A
// second signal ends it at once.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	return c.serve(ctx, a, signals, func(string) {})
}

// serve is Run for tests: signals are given, and ready is told where it listens.
func (c *serveCmd) serve(ctx context.Context, a *app, signals <-chan os.Signal, ready func(url string)) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	where := c.configure(cfg)
	ln, err := listen(ctx, where, len(cfg.Keys) > 0 || cfg.Server.Insecure)
	if err != nil {
		return err
	}
	defer ln.Close()
	log, level := a.logger(cfg.Observe.Log, false)
	cfg.Logger = log
	talk := a.textLog(cfg.Observe.Log) && !a.Quiet
	if talk && !a.Verbose {
		level.Set(slog.LevelWarn) // the first look is told in a table
	}
	router, err := hoosh.New(*cfg)
	if err != nil {
		return err
	}
	defer router.Close()
	s := newService(ctx, cfg.WithDefaults(), router, log)
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(ln) }()
	url := baseURL(ln)
	ready(url)
	looked := make(chan struct{})
	lookCtx, stopLooking := context.WithCancel(ctx)
	go func() {
		defer close(looked)
		if talk {
			a.greet(lookCtx, url, cfg, router)
		} else {
			logStart(lookCtx, log, url, router)
		}
		level.Set(a.logLevel(cfg.Observe.Log, false))
	}()
	defer func() { stopLooking(); <-looked }()
	select {
	case err := <-failed:
		return fmt.Errorf("the server failed: %w", err)
	case <-signals:
	case <-ctx.Done():
	}
	stopLooking()
	<-looked
	return s.drain(signals)
}

// configure puts the flags into the configuration and gives where to listen.
func (c *serveCmd) configure(cfg *hoosh.Config) string {
	serverDefaults(cfg)
	cfg.Server.Insecure = cfg.Server.Insecure || c.Insecure
	where := c.Listen
	if where == "" {
		where = cfg.WithDefaults().Server.Listen
	}
	cfg.Server.Listen = "" // it has been looked at, and the engine has no use for it
	if c.Demo {
		addDemo(cfg)
	}
	return where
}

// addDemo lets the echo answer for what nobody has: a route for every name is
// looked at last.
func addDemo(cfg *hoosh.Config) {
	i := slices.IndexFunc(cfg.Providers, func(p hoosh.ProviderConfig) bool {
		return p.Driver == "echo" || p.Driver == "" && p.Name == "echo"
	})
	name := "echo"
	if i >= 0 {
		name = cfg.Providers[i].Name
	} else {
		for slices.ContainsFunc(cfg.Providers, func(p hoosh.ProviderConfig) bool { return p.Name == name }) {
			name += "-demo"
		}
		cfg.Providers = append(cfg.Providers, hoosh.ProviderConfig{Name: name, Driver: "echo", Models: []string{"echo*"}})
	}
	if !slices.ContainsFunc(cfg.Routes, func(r hoosh.Route) bool { return slices.Contains(r.Match, "*") }) {
		to := []hoosh.Target{{Target: name + "/echo"}, {Target: name + "/echo-embed"}}
		cfg.Routes = append(cfg.Routes, hoosh.Route{Match: []string{"*"}, To: to})
	}
}

// service is a server at work.
type service struct {
	http     *http.Server
	router   *hoosh.Router
	log      *slog.Logger
	patience time.Duration      // for streams to end
	cut      context.CancelFunc // ends the requests under way
}

func newService(ctx context.Context, cfg hoosh.Config, router *hoosh.Router, log *slog.Logger) *service {
	// What is under way outlives ctx: it may end by itself.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	handler := server.New(router, server.Config(cfg), server.Logger(log)).Handler()
	return &service{
		router: router, log: log, patience: cfg.Server.Drain, cut: cut,
		http: &http.Server{
			Handler:           paced(handler, bodyStall),
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    int(cfg.Server.Limits.Headers),
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			BaseContext:       func(net.Listener) context.Context { return base },
		},
	}
}

// cutGrace is for streams that were cut to tell their clients so.
const cutGrace = time.Second

// drain takes no more calls and lets those under way end; after the time for
// that, or at another signal, it ends them.
func (s *service) drain(signals <-chan os.Signal) error {
	defer s.cut()
	s.log.Info("shutting down", "drain", s.patience.String())
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		err := s.http.Shutdown(ctx)
		if err == nil {
			err = s.router.Shutdown(ctx)
		}
		ended <- err
	}()
	select {
	case <-signals:
		return &problem{code: exitInterrupted}
	case err := <-ended:
		if err == nil {
			s.log.Info("shut down")
			return nil
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	s.log.Warn("calls were still under way and are cut", "after", s.patience.String())
	s.router.Close() //nolint:errcheck // what could be told has been
	s.cut()
	ctx, cancel = context.WithTimeout(context.Background(), cutGrace)
	defer cancel()
	s.http.Shutdown(ctx) //nolint:errcheck
	s.http.Close()       //nolint:errcheck
	return nil
}

// greet tells somebody at a terminal where hoosh is, what it found, and how to
// use it.
func (a *app) greet(ctx context.Context, url string, cfg *hoosh.Config, router *hoosh.Router) {
	st := a.errStyle
	fmt.Fprintf(a.err, "%s listens on %s\n", st.bold("hoosh "+hoosh.Version), st.bold(url))
	if cfg.Server.Insecure && len(cfg.Keys) == 0 {
		fmt.Fprintln(a.err, st.yellow("No keys are asked for: anyone who can reach this address uses your backends."))
	}
	findings := router.Discovered(ctx)
	list, err := router.Providers(ctx)
	if err != nil || ctx.Err() != nil {
		return
	}
	fmt.Fprintln(a.err)
	var rows [][]cell
	for _, p := range list {
		if p.Discovered {
			continue
		}
		costs := cell{}
		if p.Costs {
			costs = cell{"may cost money", st.yellow}
		}
		rows = append(rows, []cell{{"configured", st.green}, {p.Name, st.bold}, text(p.BaseURL), costs})
	}
	table(a.err, st, nil, rows)
	a.printFindings(a.err, st, findings, true)
	if len(list) == 0 {
		fmt.Fprintln(a.err, st.yellow("\nThere is nobody to answer yet. Start Ollama or llama.cpp: it joins by itself. Or set a vendor's key, or try --demo."))
	}
	if strings.HasPrefix(url, unixPrefix) {
		fmt.Fprintf(a.err, "\nTry it: curl --unix-socket %s http://localhost/v1/models\n", strings.TrimPrefix(url, unixPrefix))
		return
	}
	fmt.Fprintf(a.err, "\nPoint any OpenAI client here: %s\n", st.bold("export OPENAI_BASE_URL="+url+"/v1"))
	if len(cfg.Keys) == 0 {
		fmt.Fprintln(a.err, st.dim("(the client's key may be anything)"))
	}
	fmt.Fprintln(a.err)
}

// logStart is greet for a machine.
func logStart(ctx context.Context, log *slog.Logger, url string, router *hoosh.Router) {
	log.Info("listening", "url", url, "version", hoosh.Version)
	found, costs := []string{}, []string{}
	for _, f := range router.Discovered(ctx) {
		switch {
		case !f.Found:
			log.Debug("not found", "driver", f.Driver, "base_url", f.BaseURL, "why", f.Why)
		case f.Costs:
			costs = append(costs, f.Driver)
		default:
			found = append(found, f.Driver)
		}
	}
	if ctx.Err() == nil {
		log.Info("looked around", "found", found, "may_cost_money", costs)
	}
}
