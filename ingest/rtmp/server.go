// Package rtmp is the door for hosts who publish by RTMP and RTMPS: OBS, ffmpeg, GStreamer, phone apps
// and hardware encoders.
//
// All wire code is our own. In ingest/rtmp/chunk the bytes become messages, in amf the commands become
// values, in flv the media messages become packets; here a connection is led from its handshake to an
// ingest.Publisher. Specifications: Adobe's RTMP 1.0, Enhanced RTMP v1 and v2 (Veovera). A codec is
// added in flv.Codec, a command in conn.command.
//
// Every client is a stranger until its publish has been let in. Until then it has little: small
// messages, a budget of bytes, absolute deadlines. Later, too, every length has a named maximum
// (config.go, chunk.Limits, package amf), and a fault costs no more than the connection it is on.
package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pushcart/ingest"
)

// Server is the door. Its fields are set before it runs; it may run on several listeners at once.
type Server struct {
	Config Config
	// Opener lets hosts in.
	Opener ingest.Opener
	// Log is slog.Default() if nil.
	Log *slog.Logger

	once  sync.Once
	conf  Config
	lobby *lobby
	noise noise

	accepted, refused, malformed atomic.Int64
	bytes                        atomic.Int64
	publishing                   atomic.Int64
}

// Stats is a server's figures. All but Connections and Publishing only grow.
type Stats struct {
	Connections int64 // open now
	Publishing  int64 // of these, with a host let in
	Accepted    int64 // connections that there have been
	Refused     int64 // connections and publishes that were turned down
	Malformed   int64 // messages and frames that were dropped since they made no sense or were too long
	Bytes       int64 // received
}

// Stats returns the present figures. It may be called at any time.
func (s *Server) Stats() Stats {
	s.init()
	return Stats{
		Connections: s.lobby.len(),
		Publishing:  s.publishing.Load(),
		Accepted:    s.accepted.Load(),
		Refused:     s.refused.Load(),
		Malformed:   s.malformed.Load(),
		Bytes:       s.bytes.Load(),
	}
}

func (s *Server) init() {
	s.once.Do(func() {
		s.conf = s.Config.WithDefaults()
		if s.Log == nil {
			s.Log = slog.Default()
		}
		s.lobby = newLobby(s.conf)
	})
}

// shutdownGrace is how long Run waits for connections to end by themselves.
const shutdownGrace = 3 * time.Second

// Run accepts plain RTMP from ln, which it closes, until ctx ends. Then it tells every host that the
// server goes away, waits a few seconds at most for them to leave, and returns nil when all its
// connections are closed. Any other error is the listener's.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	return s.run(ctx, ln, "rtmp")
}

// RunTLS does as Run does for RTMPS. conf must have a certificate.
func (s *Server) RunTLS(ctx context.Context, ln net.Listener, conf *tls.Config) error {
	return s.run(ctx, tls.NewListener(ln, conf), "rtmps")
}

func (s *Server) run(ctx context.Context, ln net.Listener, protocol string) error {
	s.init()
	var conns sync.WaitGroup
	accept, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(accept, func() { ln.Close() })
	defer stop()
	err := s.accept(accept, ln, protocol, &conns)
	ln.Close()
	s.lobby.interrupt(protocol, errShutdown)
	left := make(chan struct{})
	go func() { conns.Wait(); close(left) }()
	select {
	case <-left:
	case <-time.After(shutdownGrace):
		s.lobby.close(protocol)
		<-left
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// accept starts a goroutine for each connection until the listener fails for good.
func (s *Server) accept(ctx context.Context, ln net.Listener, protocol string, conns *sync.WaitGroup) error {
	const longestPause = time.Second
	pause := time.Duration(0)
	for {
		nc, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return err
			}
			// Out of file descriptors, most likely: wait for some to be given back.
			pause = min(max(2*pause, 5*time.Millisecond), longestPause)
			s.noise.log(s.Log, slog.LevelError, "rtmp: accept failed", "err", err)
			select {
			case <-ctx.Done():
				return err
			case <-time.After(pause):
			}
			continue
		}
		pause = 0
		s.accepted.Add(1)
		c := newConn(s, nc, protocol)
		if err := s.lobby.enter(c); err != nil {
			s.refused.Add(1)
			s.noise.log(s.Log, slog.LevelWarn, "rtmp: connection refused", "remote", c.remote, "why", err)
			nc.Close()
			continue
		}
		conns.Go(func() {
			defer s.lobby.leave(c)
			c.serve()
		})
	}
}
