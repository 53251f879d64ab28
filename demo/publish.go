package demo

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/yapingcat/gomedia/go-codec"
	"github.com/yapingcat/gomedia/go-rtmp"
)

// Bounds of a connection.
const (
	dialTimeout  = 5 * time.Second
	startTimeout = 10 * time.Second // from the connection to leave to publish
	writeTimeout = 10 * time.Second
	chunkSize    = 60000
)

// refusal is a server's no, in its own words.
type refusal struct{ code, text string }

func (r *refusal) Error() string {
	if r.text == "" {
		return r.code
	}
	return r.code + ": " + r.text
}

// publish connects to rawURL and plays show in real time, over and over, until ctx is done or something
// breaks. It never returns nil.
func publish(ctx context.Context, rawURL string, show *clip) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	unhook := context.AfterFunc(ctx, func() { conn.Close() })
	defer unhook()

	p := &publisher{conn: conn, started: make(chan struct{}), failed: make(chan error, 1)}
	p.client = rtmp.NewRtmpClient(rtmp.WithComplexHandshake(), rtmp.WithEnablePublish(), rtmp.WithChunkSize(chunkSize))
	p.client.SetOutput(p.send)
	p.client.OnStatus(p.status)
	p.client.OnError(func(code, text string) { p.fail(&refusal{code, text}) })
	go p.listen()

	p.mu.Lock()
	p.client.Start(rawURL)
	p.mu.Unlock()
	select {
	case <-p.started:
	case err := <-p.failed:
		return err
	case <-time.After(startTimeout):
		return fmt.Errorf("the server has not let us publish within %v", startTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.play(ctx, show)
}

// publisher is one connection.
type publisher struct {
	conn    net.Conn
	started chan struct{} // closed when the server lets us publish
	failed  chan error    // the first error of listening

	mu     sync.Mutex // guards client, which is not safe for concurrent use
	client *rtmp.RtmpClient
	begun  bool
}

// play sends frames when they are due.
func (p *publisher) play(ctx context.Context, show *clip) error {
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		f, at := show.at(i)
		timer.Reset(time.Until(began.Add(at)))
		select {
		case <-timer.C:
		case err := <-p.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := p.write(f, at); err != nil {
			return err
		}
	}
}

// write sends one frame, and ahead of a picture with a new product, the product's cue with the same time. The
// client gets a copy: it turns Annex B into AVCC in place.
func (p *publisher) write(f frame, at time.Duration) error {
	ms := uint32(at.Milliseconds()) // wraps after 49 days, as RTMP's own clock does
	p.mu.Lock()
	defer p.mu.Unlock()
	if cue, ok := cueAt(at); ok && f.codec == codec.CODECID_VIDEO_H264 {
		if err := p.send(cueMessage(cue, ms)); err != nil {
			return err
		}
	}
	return p.client.WriteFrame(f.codec, slices.Clone(f.data), ms, ms)
}

// listen hands the client what the server says, until the connection ends.
func (p *publisher) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := p.conn.Read(buf)
		if n > 0 {
			p.mu.Lock()
			if bad := p.client.Input(buf[:n]); bad != nil {
				err = bad
			}
			p.mu.Unlock()
		}
		if err != nil {
			p.fail(fmt.Errorf("the server has closed the connection: %w", err))
			return
		}
	}
}

// status hears the server's answers; p.mu is held.
func (p *publisher) status(code, level, text string) {
	switch {
	case level == string(rtmp.LEVEL_ERROR):
		p.fail(&refusal{code, text})
	case code == string(rtmp.NETSTREAM_PUBLISH_START) && !p.begun:
		p.begun = true
		close(p.started)
	}
}

func (p *publisher) fail(err error) {
	select {
	case p.failed <- err:
	default: // the first error is the one that tells
	}
}

func (p *publisher) send(data []byte) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := p.conn.Write(data)
	return err
}
