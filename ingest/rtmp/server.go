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
	"pushcart/ingest/lobby"
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
	lobby *lobby.Lobby

	malformed  atomic.Int64
	bytes      atomic.Int64
	publishing atomic.Int64
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
		Connections: s.lobby.Len(),
		Publishing:  s.publishing.Load(),
		Accepted:    s.lobby.Accepted.Load(),
		Refused:     s.lobby.Refused.Load(),
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
		s.lobby = lobby.New("rtmp", lobby.Limits{
			Connections: s.conf.MaxConnections, PerAddress: s.conf.MaxConnectionsPerAddress, Pending: s.conf.MaxPending,
		}, s.Log)
	})
}

// shutdownGrace is how long Run waits for connections to end by themselves.
const shutdownGrace = 3 * time.Second

// errShutdown is why a connection ends that did nothing wrong.
var errShutdown = errors.New("the server is going down; publish again in a moment")

// Run accepts plain RTMP from ln, which it closes, until ctx ends. Then it tells every host that the
// server goes away, waits a few seconds at most for them to leave, and returns nil when all its
// connections are closed. Any other error is the listener's.
func (s *Server) Run(ctx context.Context, ln net.Listener) error { return s.run(ctx, ln, nil) }

// RunTLS does as Run does for RTMPS. conf must have a certificate.
func (s *Server) RunTLS(ctx context.Context, ln net.Listener, conf *tls.Config) error {
	return s.run(ctx, ln, conf)
}

func (s *Server) run(ctx context.Context, ln net.Listener, conf *tls.Config) error {
	s.init()
	open, shut := context.WithCancel(ctx)
	defer shut()
	grace, cut := context.WithCancel(context.Background())
	defer cut()
	context.AfterFunc(open, func() { ln.Close() })
	var conns sync.WaitGroup
	var err error
	for {
		var place *lobby.Conn
		if place, err = s.lobby.Accept(ln); err != nil {
			break
		}
		conns.Go(func() {
			defer context.AfterFunc(open, func() { place.End(errShutdown) })()
			defer context.AfterFunc(grace, func() { place.Close() })()
			newConn(s, place, conf).serve()
		})
	}
	shut()
	timer := time.AfterFunc(shutdownGrace, cut)
	defer timer.Stop()
	conns.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
