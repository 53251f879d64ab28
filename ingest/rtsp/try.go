package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtcp"

	"pushcart/ingest"
	"pushcart/ingest/rtsp/sdp"
)

// errOurs is wrapped by errors that are the show's doing, and not the camera's.
var errOurs = errors.New("the show was ended from our side")

const (
	// cameraTimeout bounds each answer of a camera, and how long it may send nothing.
	cameraTimeout = 10 * time.Second
	// maxRedirects is how often a camera may send us elsewhere, which has to be on the same host: we
	// carry its password.
	maxRedirects = 3
)

// try connects to the camera and feeds the show until one of them ends it. It returns nil when nobody
// watches any more.
func (p *pull) try(ctx context.Context) error {
	switch p.stream.Transport {
	case transportTCP:
		return p.tryBy(ctx, false)
	case transportUDP:
		return p.tryBy(ctx, true)
	}
	err := p.tryBy(ctx, p.useUDP)
	if wantsOther(err) {
		p.useUDP = !p.useUDP // and next time
		err = p.tryBy(ctx, p.useUDP)
	}
	return err
}

// tryBy does so by one transport.
func (p *pull) tryBy(ctx context.Context, udp bool) error {
	u, err := base.ParseURL(string(p.stream.Source))
	if err != nil {
		return err
	}
	c := &camera{pull: p, host: u.Hostname()}
	if err := c.connect(ctx, u, udp); err != nil {
		return err
	}
	defer c.client.Close()
	if err := c.play(udp); err != nil {
		return err
	}
	return c.watch(ctx, udp)
}

// wantsOther reports whether the camera has turned the transport down.
func wantsOther(err error) bool {
	var status liberrors.ErrClientBadStatusCode
	return errors.As(err, &status) && status.Code == base.StatusUnsupportedTransport ||
		errors.As(err, new(liberrors.ErrClientServerRequestedUDP)) || errors.As(err, new(liberrors.ErrClientServerRequestedTCP))
}

// camera is one connection to a camera.
type camera struct {
	pull   *pull
	host   string
	client *gortsplib.Client
	remote string

	session     sdp.Session // of the latest DESCRIBE
	problem     error       // with it
	agent       string
	redirects   int
	feed        *feed
	refused     []refusedTrack
	description *description.Session
	pub         ingest.Publisher
	ended       chan error // the client's end
}

// connect asks the camera what it has.
func (c *camera) connect(ctx context.Context, u *base.URL, udp bool) error {
	transport := gortsplib.TransportTCP
	if udp {
		transport = gortsplib.TransportUDP
	}
	c.client = &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Transport: &transport, UserAgent: "Pushcart",
		ReadTimeout: cameraTimeout, WriteTimeout: cameraTimeout,
		OnResponse:        c.response,
		OnTransportSwitch: func(error) {}, OnPacketsLost: func(uint64) {}, OnDecodeError: func(error) {},
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: cameraTimeout}
			nc, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				c.remote = nc.RemoteAddr().String()
			}
			return nc, err
		},
		ListenPacket: func(network, address string) (net.PacketConn, error) {
			pc, err := net.ListenPacket(network, address)
			if udp, ok := pc.(*net.UDPConn); ok {
				udp.SetReadBuffer(udpBuffer)
			}
			return pc, err
		},
	}
	if u.Scheme == "rtsps" {
		c.client.TLSConfig = &tls.Config{InsecureSkipVerify: c.pull.stream.InsecureTLS}
	}
	if err := c.client.Start2(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, c.client.Close)
	defer stop()
	d, _, err := c.client.Describe(u)
	if err != nil {
		c.client.Close()
		if c.problem != nil {
			err = c.problem
		}
		return err
	}
	c.description = d
	return nil
}

// response looks at a response before gortsplib does.
func (c *camera) response(r *base.Response) {
	if s := r.Header["Server"]; len(s) == 1 {
		c.agent = strings.ToValidUTF8(s[0][:min(len(s[0]), maxAgentLength)], "?")
	}
	if l := r.Header["Location"]; len(l) > 0 {
		c.redirects++
		if u, err := url.Parse(l[0]); err != nil || u.Hostname() != c.host || c.redirects > maxRedirects {
			delete(r.Header, "Location")
		}
	}
	if ct := r.Header["Content-Type"]; r.StatusCode != base.StatusOK || len(ct) != 1 || !strings.HasPrefix(ct[0], "application/sdp") {
		return
	}
	if c.session, c.problem = sdp.Parse(r.Body); c.problem != nil {
		c.problem = fmt.Errorf("the camera's description can't be used: %w", c.problem)
		r.Body = nil
		return
	}
	r.Body = c.session.Plain()
}

// play has the camera send what can be carried.
func (c *camera) play(udp bool) error {
	wait := time.Duration(0)
	if udp {
		wait = defaultReorder
	}
	var err error
	if c.feed, c.refused, err = newFeed(c.session, wait); err != nil {
		return err
	}
	c.feed.reports.heed(c.agent)
	for i, m := range c.description.Medias {
		t := c.feed.track(i)
		if t == nil {
			continue
		}
		c.feed.tap(i, m)
		if _, err := c.client.Setup(c.description.BaseURL, m, 0, 0); err != nil {
			return err
		}
		c.client.OnPacketRTCP(m, func(packet rtcp.Packet) {
			if sr, ok := packet.(*rtcp.SenderReport); ok {
				c.feed.senderReport(t, sr.RTPTime, sr.NTPTime)
			}
		})
	}
	name := c.pull.stream.Name
	if c.pub, err = c.pull.puller.Fetch(name, c.client.Scheme, c.remote, c.agent); err != nil {
		return err
	}
	if c.pull.stream.Date == DateSender {
		c.feed.dater, _ = c.pub.(ingest.Dater)
	}
	c.feed.open(c.pub, c.refused)
	if err := c.askToPlay(); err != nil {
		c.feed.close(err)
		return err
	}
	c.ended = make(chan error, 1)
	go func() { c.ended <- c.client.Wait() }()
	return nil
}

// askToPlay has the camera begin. From here on gortsplib waits for ever, and watch says when nothing comes.
func (c *camera) askToPlay() error {
	c.client.ReadTimeout = noTimeout
	late := time.AfterFunc(cameraTimeout, c.client.Close)
	_, err := c.client.Play(nil)
	if !late.Stop() && err != nil {
		return liberrors.ErrClientRequestTimedOut{}
	}
	return err
}

// watch keeps the session's time until it is over.
func (c *camera) watch(ctx context.Context, udp bool) error {
	every := tickTCP
	if udp {
		every = tickUDP
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	viewers := time.NewTicker(time.Second)
	defer viewers.Stop()
	for {
		select {
		case <-ctx.Done():
			c.feed.close(errShutdown)
			return ctx.Err()
		case <-c.pub.Done():
			why := c.pub.Err()
			c.feed.close(why)
			return fmt.Errorf("%w: %w", errOurs, why)
		case err := <-c.ended:
			err = ending(err)
			c.feed.close(errors.New(c.pull.stream.Source.scrub(oneLine(err.Error()))))
			return err
		case now := <-ticker.C:
			c.feed.tick(now)
			if err := c.check(now); err != nil {
				c.feed.close(err)
				return err
			}
		case now := <-viewers.C:
			if c.pull.unwatched(now) {
				c.feed.close(nil)
				return nil
			}
		}
	}
}

// check says whether the session has to end.
func (c *camera) check(now time.Time) error {
	quiet, failed := c.feed.quiet(now)
	switch {
	case failed != nil:
		return fmt.Errorf("%w: %w", errOurs, failed)
	case quiet > cameraTimeout:
		return errIdle(cameraTimeout)
	case c.feed.flows() && !c.pull.up.Load():
		c.pull.succeed()
	}
	return nil
}

// flows reports whether anything has come.
func (f *feed) flows() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.begin.IsZero()
}
