package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"

	"pushcart/admin"
	"pushcart/auth"
	"pushcart/config"
	"pushcart/cue"
	"pushcart/ingest"
	"pushcart/ingest/rtmp"
	"pushcart/ingest/rtsp"
	"pushcart/metrics"
	"pushcart/obs"
	"pushcart/origin"
	"pushcart/stream"
	"pushcart/tlsconf"
	"pushcart/transcode"
	"pushcart/transcode/sound"
	"pushcart/web"
)

// off is the value of a listen address for no listener.
const off = origin.Off

// server is all rooms, joined.
type server struct {
	conf config.Config
	log  *slog.Logger

	shows   *shows
	on      *register
	hub     *stream.Hub
	door    *rtmp.Server
	rtsp    *rtsp.Server
	puller  *rtsp.Puller
	cues    *cue.Book
	counter *origin.Server
	admin   *admin.Server
	ladder  *transcode.Transcoder
	studio  *sound.Studio
	certs   *tlsconf.Certificates // nil: none configured

	listeners []listener
	udp       *rtsp.UDP // nil: none wanted
	stopping  atomic.Bool
}

// listener is an open listener, and what it is for.
type listener struct {
	net.Listener
	key     string // of the configuration
	purpose string
}

// newServer builds the rooms. It opens no listener. Errors are about certificates.
func newServer(conf config.Config, log *slog.Logger) (*server, error) {
	certs, err := tlsconf.New(conf.TLS, log)
	if err != nil {
		return nil, err
	}
	checker, err := auth.New(conf.Auth)
	if err != nil {
		return nil, err
	}
	s := &server{conf: conf, log: log, certs: certs}
	s.shows = newShows(conf.Packager, conf.Stream.MaxStreams, log)
	s.on = &register{file: conf.Stream.StateFile, list: s.shows.on, log: log}
	s.hub = stream.NewHub(conf.Stream, log, func(st *stream.Stream) {
		s.shows.begin(st)
		s.cues.Begin(st)
		s.ladder.Show(st)
		s.studio.Show(st)
	})
	s.cues = cue.NewBook(conf.Cues, conf.Packager.WithDefaults().Latency.HoldBack, log)
	s.ladder = transcode.New(conf.Ladder, s.hub, log)
	s.studio = sound.New(soundOptions(conf), s.hub, log)
	desk := &ingest.Desk{Config: conf.Ingest, Sound: conf.Sound, Hub: s.hub, Auth: checker, Messages: s.cues, Mixer: s.studio, Log: log}
	s.door = &rtmp.Server{Config: conf.RTMP, Opener: desk, Log: log}
	s.addRTSP(desk, checker)
	s.counter = origin.New(conf.Origin, s.shows, certs.HTTPHandler(web.Handler()), log)
	s.counter.Cues = boards{s.cues}
	ladders := s.forOBS(checker)
	s.counter.Hosts = onlyOBS(ladders)
	registry := metrics.New(version())
	registry.Report(s.report)
	s.admin = &admin.Server{
		Config:  conf.Admin,
		Source:  s,
		Cues:    s.cues,
		OBS:     pasteOBS(ladders),
		Makes:   obs.Makes(),
		Watch:   s.viewersPage,
		Metrics: registry.Handler(),
		Ready:   s.ready,
		Log:     log,
	}
	return s, nil
}

// listen opens all listeners that the configuration wants, or none.
func (s *server) listen() error {
	for _, l := range []struct {
		key, purpose, addr string
		wanted             bool
	}{
		{"rtmp.listen", "hosts (RTMP)", s.conf.RTMP.Listen, true},
		{"rtmp.listen_tls", "hosts (RTMPS)", s.conf.RTMP.ListenTLS, s.certs != nil},
		{"rtsp.listen", "hosts (RTSP)", s.conf.RTSP.Listen, true},
		{"rtsp.listen_tls", "hosts (RTSPS)", s.conf.RTSP.ListenTLS, s.certs != nil},
		{"origin.listen", "viewers (HTTP)", s.conf.Origin.Listen, true},
		{"origin.listen_tls", "viewers (HTTPS)", s.conf.Origin.ListenTLS, s.certs != nil},
		{"admin.listen", "operators", s.conf.Admin.Listen, true},
	} {
		if !l.wanted || l.addr == off {
			continue
		}
		open, err := net.Listen("tcp", l.addr)
		if err != nil {
			s.close()
			return explainListen(l.key, l.addr, err)
		}
		s.listeners = append(s.listeners, listener{open, l.key, l.purpose})
	}
	if err := s.listenUDP(); err != nil {
		s.close()
		return err
	}
	return nil
}

func (s *server) close() {
	for _, l := range s.listeners {
		l.Close()
	}
	if s.udp != nil {
		s.udp.Close()
	}
}

// explainListen says what to do about a listener that can't be opened.
func explainListen(key, addr string, err error) error {
	hint := fmt.Sprintf("set %s (or %s) to another address", key, config.Variable(key))
	_, port, _ := net.SplitHostPort(addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: port %s is in use by another program: stop it, or %s", key, port, hint)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: port %s needs a privilege that this process has not (CAP_NET_BIND_SERVICE): grant it, or %s", key, port, hint)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %s is no address of this machine: %s", key, addr, hint)
	}
	return fmt.Errorf("%s: cannot listen on %s: %w", key, addr, err)
}

// addr returns the address that is listened on for a key, "" if there is none.
func (s *server) addr(key string) string {
	for _, l := range s.listeners {
		if l.key == key {
			return l.Addr().String()
		}
	}
	return ""
}

// publishURL is where an encoder on this machine publishes, without the stream key.
func (s *server) publishURL() string {
	if a := s.addr("rtmp.listen"); a != "" {
		return "rtmp://" + reachable(a) + "/live"
	}
	return ""
}

// watchURL is the page of a show for a browser on this machine.
func (s *server) watchURL(name string) string {
	if a := s.addr("origin.listen"); a != "" {
		return "http://" + reachable(a) + "/live/" + name + "/"
	}
	return ""
}

// viewersPage is the page of a show for somebody who calls this machine host. A listener with an address of its own is reached there.
func (s *server) viewersPage(host, name string) string {
	scheme, a := "https", s.addr("origin.listen_tls")
	if a == "" {
		scheme, a = "http", s.addr("origin.listen")
	}
	own, port, err := net.SplitHostPort(a)
	if err != nil {
		return "" // there is no listener
	}
	if ip := net.ParseIP(own); ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() {
		host = own
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: "/live/" + name + "/"}
	return u.String()
}

// run serves until ctx ends or a part of the server fails. Then hosts are sent away, shows are suspended until
// the server is back, viewers get what is complete, and operators can look on until the last.
func (s *server) run(ctx context.Context, beside func(context.Context, *server) error) error {
	g, hosts := errgroup.WithContext(ctx)
	viewers, sendAway := context.WithCancel(context.WithoutCancel(ctx))
	defer sendAway()
	operators, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	var forViewers []net.Listener
	s.cues.Open()
	s.takeUp()
	g.Go(func() error { s.on.run(hosts); return nil })
	g.Go(func() error { return s.ladder.Run(hosts) })
	g.Go(func() error { return s.studio.Run(hosts) })
	g.Go(func() error { return s.puller.Run(hosts) })
	for _, l := range s.listeners {
		switch l.key {
		case "rtmp.listen":
			g.Go(func() error { return s.door.Run(hosts, l) })
		case "rtmp.listen_tls":
			g.Go(func() error { return s.door.RunTLS(hosts, l, s.certs.Config()) })
		case "rtsp.listen":
			g.Go(func() error { return s.rtsp.Run(hosts, l, s.udp) })
		case "rtsp.listen_tls":
			g.Go(func() error { return s.rtsp.RunTLS(hosts, l, s.certs.Config()) })
		case "origin.listen":
			forViewers = append(forViewers, l)
		case "origin.listen_tls":
			forViewers = append(forViewers, tls.NewListener(l, s.certs.Config(origin.Protocols...)))
		case "admin.listen":
			g.Go(func() error { return s.admin.Run(operators, l) })
		}
	}
	g.Go(func() error {
		defer done()
		return s.counter.Run(viewers, forViewers...)
	})
	if beside != nil {
		g.Go(func() error {
			if err := beside(hosts, s); hosts.Err() == nil {
				return err
			}
			return nil
		})
	}
	g.Go(func() error {
		<-hosts.Done()
		s.stopping.Store(true)
		s.on.close()
		s.cues.Close() // shows that end from here on go on later
		s.hub.Close()
		s.shows.wait()
		sendAway()
		return nil
	})
	return g.Wait()
}

// ready is what operators' balancers ask. Whoever can ask has found all listeners open.
func (s *server) ready() error {
	if s.stopping.Load() {
		return errors.New("the server is shutting down")
	}
	return nil
}

// takeUp waits for the hosts of the shows that were on when the server stopped: they may take as long as any
// who has lost the connection.
func (s *server) takeUp() {
	list, err := s.on.read()
	if err != nil {
		s.log.Warn("state_file can't be read: shows that were on begin anew", slog.String("error", err.Error()))
	}
	wait := s.conf.Stream.WithDefaults().ReconnectWindow
	if len(list) == 0 || wait <= 0 {
		return
	}
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = r.Name
	}
	s.cues.Await(names)
	s.shows.await(list, wait)
	s.log.Info("waiting for the hosts of the shows that were on", slog.Int("shows", len(list)), slog.Duration("at_most", wait))
}
