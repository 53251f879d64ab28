// Package rtsp is the door for hosts who publish by RTSP and RTSPS (hardware encoders, GStreamer, ffmpeg), and
// for cameras that shows are fetched from.
//
// gortsplib speaks RTSP: requests, sessions, sockets. What a stranger's bytes decide is our own: descriptions
// (ingest/rtsp/sdp; the library only gets to see Plain ones), packets and frames (ingest/rtsp/rtp), clocks
// (clock.go), limits and deadlines (ingest/lobby, conn.go). A session is a feed (feed.go): packets in, access units
// out. pull.go makes feeds of cameras. Specifications: RFC 2326, RFC 3550, and those of the sub-rooms.
package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"

	"pushcart/ingest"
	"pushcart/ingest/lobby"
)

// Server is the door for hosts who publish. Its fields are set before it runs; it may run once by itself and
// once with TLS.
type Server struct {
	Config Config
	// Opener lets hosts in.
	Opener ingest.Opener
	// Keys returns the stream keys that a user name may stand for: its show's. It lets encoders in that
	// send a digest of the key instead of the key. Nil: none of those.
	Keys func(user string) []string
	// Log is slog.Default() if nil.
	Log *slog.Logger

	once     sync.Once
	conf     Config
	lobby    *lobby.Lobby
	stopping atomic.Bool

	mu    sync.Mutex
	ports map[netip.AddrPort]*publish // guarded by mu: UDP ports of hosts

	bytes, publishing atomic.Int64
}

// Stats is a server's figures. All but Connections and Publishing only grow.
type Stats struct {
	Connections int64 // open now
	Publishing  int64 // sessions with a host let in
	Accepted    int64 // connections that there have been
	Refused     int64 // connections and publishes that were turned down
	Bytes       int64 // received by TCP
}

// Stats returns the present figures. It may be called at any time.
func (s *Server) Stats() Stats {
	s.init()
	return Stats{
		Connections: s.lobby.Len(),
		Publishing:  s.publishing.Load(),
		Accepted:    s.lobby.Accepted.Load(),
		Refused:     s.lobby.Refused.Load(),
		Bytes:       s.bytes.Load(),
	}
}

func (s *Server) init() {
	s.once.Do(func() {
		s.conf = s.Config.WithDefaults()
		if s.Log == nil {
			s.Log = slog.Default()
		}
		s.lobby = lobby.New("rtsp", lobby.Limits{
			Connections: s.conf.MaxConnections, PerAddress: s.conf.MaxConnectionsPerAddress, Pending: s.conf.MaxPending,
		}, s.Log)
	})
}

// UDP is the two sockets for RTP and RTCP.
type UDP struct{ RTP, RTCP *net.UDPConn }

// ListenUDP opens the sockets at addr, whose port is even, and the one above it. Errors are net's.
func ListenUDP(addr string) (*UDP, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	rtp, err := listenUDP(addr)
	if err != nil {
		return nil, err
	}
	rtcp, err := listenUDP(net.JoinHostPort(host, strconv.Itoa(n+1)))
	if err != nil {
		rtp.Close()
		return nil, err
	}
	return &UDP{rtp, rtcp}, nil
}

func listenUDP(addr string) (*net.UDPConn, error) {
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	c := pc.(*net.UDPConn)
	c.SetReadBuffer(udpBuffer) // as much of it as the system allows (net.core.rmem_max)
	return c, nil
}

// Close closes both.
func (u *UDP) Close() error { return errors.Join(u.RTP.Close(), u.RTCP.Close()) }

// Run lets hosts in who connect to ln, and sends their UDP through udp, which may be nil. It closes both when
// ctx ends, tells the shows that the server goes down, and returns nil when all its sessions are over. Any other
// error is the sockets'.
func (s *Server) Run(ctx context.Context, ln net.Listener, udp *UDP) error {
	g := &gortsplib.Server{}
	if udp != nil {
		g.UDPRTPAddress, g.UDPRTCPAddress = udp.RTP.LocalAddr().String(), udp.RTCP.LocalAddr().String()
		sockets := []*net.UDPConn{udp.RTP, udp.RTCP} // in the order in which they are asked for
		g.ListenPacket = func(string, string) (net.PacketConn, error) {
			if len(sockets) == 0 {
				return nil, errors.New("no more sockets")
			}
			next := sockets[0]
			sockets = sockets[1:]
			return next, nil
		}
	}
	return s.run(ctx, g, ln, "rtsp")
}

// RunTLS does as Run does for RTSPS, where media come on the connection. conf must have a certificate.
func (s *Server) RunTLS(ctx context.Context, ln net.Listener, conf *tls.Config) error {
	return s.run(ctx, &gortsplib.Server{TLSConfig: conf}, ln, "rtsps")
}

// noTimeout is for gortsplib, which would end a session when the wall clock is that much later than at the last
// packet: also if the clock was set meanwhile, or the machine stood still and the packets wait to be read. We judge
// that (publish.watch, camera.watch), and the deadlines of hosts' connections are our own (conn.go).
const noTimeout = 100 * 365 * 24 * time.Hour

func (s *Server) run(ctx context.Context, g *gortsplib.Server, ln net.Listener, protocol string) error {
	s.init()
	g.Handler = &handler{server: s, protocol: protocol}
	g.RTSPAddress = ln.Addr().String()
	g.Listen = func(string, string) (net.Listener, error) { return listener{ln, s}, nil }
	g.ReadTimeout = noTimeout
	g.WriteTimeout = s.conf.WriteTimeout
	if err := g.Start(); err != nil {
		ln.Close()
		return fmt.Errorf("%s: %w", protocol, err)
	}
	stop := context.AfterFunc(ctx, func() {
		s.stopping.Store(true)
		g.Close()
	})
	defer stop()
	err := g.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w", protocol, err)
}

// ending says in the session's words why a connection has ended.
func ending(err error) error {
	if err == nil || err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return errHungUp
	}
	return err
}
