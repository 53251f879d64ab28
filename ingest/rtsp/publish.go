package rtsp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtcp"

	"pushcart/ingest"
)

// publish is one host's session, from ANNOUNCE to its end.
type publish struct {
	feed    *feed
	pub     ingest.Publisher
	refused []refusedTrack
	visit   *visit
	server  *Server
	session *gortsplib.ServerSession
	udp     bool
	ports   []netip.AddrPort // UDP: where its packets come from; guarded by server.mu

	over    chan struct{}
	started bool

	mu  sync.Mutex
	why error // it is to end; guarded by mu
}

// start begins to feed the show. gortsplib calls it in the session's goroutine, before the first packet.
func (p *publish) start(udp bool) {
	p.udp, p.started = udp, true
	if !udp {
		p.feed.inOrder()
	}
	for i, m := range p.session.AnnouncedDescription().Medias {
		if t := p.feed.track(i); t != nil {
			p.session.OnPacketRTCP(m, func(packet rtcp.Packet) {
				if sr, ok := packet.(*rtcp.SenderReport); ok {
					p.feed.senderReport(t, sr.RTPTime, sr.NTPTime)
				}
			})
		}
	}
	p.feed.open(p.pub, p.refused)
	c := p.visit.conn
	c.Publishes()
	if udp {
		c.enter(beside)
	} else {
		c.enter(interleaved)
	}
	p.server.publishing.Add(1)
	go p.watch()
}

const (
	// tickUDP is how often missing packets are looked after, and tickTCP how often counts are told.
	tickUDP, tickTCP = 20 * time.Millisecond, 250 * time.Millisecond
	// farewell is how long media may still come by UDP after the connection has gone.
	farewell = 2 * time.Second
)

// watch keeps the session's time until it is over: packets that do not come, a host who has gone, a show that is
// taken over.
func (p *publish) watch() {
	every := tickTCP
	if p.udp {
		every = tickUDP
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.over:
			return
		case <-p.pub.Done():
			p.stop(p.pub.Err())
			return
		case now := <-ticker.C:
			p.feed.tick(now)
			quiet, failed := p.feed.quiet(now)
			switch {
			case failed != nil:
				p.stop(failed)
			case quiet > p.server.conf.IdleTimeout:
				p.stop(errIdle(p.server.conf.IdleTimeout))
			case quiet > farewell && p.visit.conn.Why() != nil:
				p.stop(errHungUp)
			default:
				continue
			}
			return
		}
	}
}

// stop ends the session from our side.
func (p *publish) stop(why error) {
	p.mu.Lock()
	if p.why == nil {
		p.why = why
	}
	p.mu.Unlock()
	p.session.Close()
}

// end leaves the show. err is why gortsplib has closed the session.
func (p *publish) end(err error) {
	p.server.release(p)
	close(p.over)
	if p.started {
		p.server.publishing.Add(-1)
	}
	p.mu.Lock()
	why := p.why
	p.mu.Unlock()
	c := p.visit.conn
	switch {
	case why != nil:
	case errors.As(err, new(liberrors.ErrServerSessionTornDown)):
		why = nil // goodbye
		c.enter(pending)
		c.Waits()
	case p.server.stopping.Load():
		why = errShutdown
	case errors.Is(c.Why(), net.ErrClosed): // gortsplib has closed it, and says why
		why = fmt.Errorf("the RTSP session broke off: %w", err)
	default:
		why = ending(c.Why())
	}
	if !p.started {
		p.pub.Close(why)
		return
	}
	p.feed.close(why)
}
