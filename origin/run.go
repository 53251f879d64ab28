package origin

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Protocols are what HTTPS is offered with (ALPN): HTTP/2, and HTTP/1.1 for those who have nothing better.
var Protocols = []string{"h2", "http/1.1"}

// Run serves viewers on the listeners until ctx ends or a listener fails. On the way out it accepts
// nobody new, answers those who wait with 503, lets responses in progress end for drainTimeout, and
// closes what is left. It closes the listeners, and returns nil if it was ctx that ended.
func (s *Server) Run(ctx context.Context, listeners ...net.Listener) error {
	requests, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(errStopping)
	srv := s.httpServer(requests)

	g, serving := errgroup.WithContext(ctx)
	for _, l := range listeners {
		g.Go(func() error {
			err := srv.Serve(l)
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("origin: %s: %w", l.Addr(), err)
		})
	}
	g.Go(func() error {
		<-serving.Done()
		stop(errStopping)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if srv.Shutdown(drain) != nil {
			srv.Close()
		}
		return nil
	})
	return g.Wait()
}

// httpServer is net/http's part, with its bounds. Requests get contexts below requests.
func (s *Server) httpServer(requests context.Context) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // by prior knowledge, for CDNs and balancers
	return &http.Server{
		Handler:           s,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: s.cfg.MaxStreamsPerConnection,
			SendPingTimeout:      pingTimeout,
			PingTimeout:          pingTimeout,
			WriteByteTimeout:     pingTimeout,
		},
		ErrorLog:    log.New(serverLog{s.log}, "", 0),
		ConnState:   s.connState,
		BaseContext: func(net.Listener) context.Context { return requests },
	}
}

// serverLog takes what net/http has to say. Peers that are no browsers, or give up, are no news.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Write(p []byte) (int, error) {
	msg := strings.TrimSpace(string(p))
	level := slog.LevelDebug
	if strings.Contains(msg, "panic") || strings.Contains(msg, "Accept error") {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, "origin: "+msg)
	return len(p), nil
}

// connState keeps the number of open connections within Config.MaxConnections. A viewer who is one too
// many learns it at once, instead of waiting in the kernel's queue.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !s.counters.connections.enter(s.cfg.MaxConnections) {
			s.counters.refused.Add(1)
			s.turnedAway.Store(c, struct{}{}) // until StateClosed
			c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		if _, never := s.turnedAway.LoadAndDelete(c); !never {
			s.counters.connections.leave()
		}
	}
}
