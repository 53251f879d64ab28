package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Deadlines of a publish: of everything up to its acceptance, and of one message.
const (
	startTimeout = 10 * time.Second
	writeTimeout = 10 * time.Second
)

// publisher is one RTMP connection that publishes.
type publisher struct {
	conn      net.Conn
	in        chunkReader
	chunkSize int
	streamID  uint32 // of what is published
	key       string
	failed    chan error // what ended the connection from the server's side; one value

	mu     sync.Mutex // guards writing: pings are answered beside the media
	header []byte
}

// dial connects to rtmp://HOST[:PORT]/APP/KEY and returns once the server has accepted the publish. The
// error of a refusal contains the server's own description.
func dial(ctx context.Context, target string, chunkSize int) (*publisher, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	app, key, ok := strings.Cut(strings.TrimPrefix(u.RequestURI(), "/"), "/")
	if u.Scheme != "rtmp" || !ok || key == "" {
		return nil, fmt.Errorf("%s: want rtmp://HOST[:PORT]/APP/KEY", target)
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "1935")
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	p := &publisher{conn: conn, chunkSize: 128, key: key, failed: make(chan error, 1)}
	p.in = chunkReader{r: bufio.NewReader(conn), size: 128}
	conn.SetDeadline(time.Now().Add(startTimeout))
	if err := p.start(app, "rtmp://"+u.Host+"/"+app, chunkSize); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	go p.listen()
	return p, nil
}

// start does handshake and commands, in the order and with the extras of encoders in the field.
func (p *publisher) start(app, tcURL string, chunkSize int) error {
	if err := p.handshake(); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if err := p.send(msgSetChunkSize, binary.BigEndian.AppendUint32(nil, uint32(chunkSize))); err != nil {
		return err
	}
	p.chunkSize = chunkSize
	connect := object{{"app", app}, {"type", "nonprivate"}, {"flashVer", "FMLE/3.0 (compatible; push)"}, {"tcUrl", tcURL}}
	if err := p.command("connect", 1, connect); err != nil {
		return err
	}
	if _, err := p.await("_result", 1); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	p.command("releaseStream", 2, nil, p.key)
	p.command("FCPublish", 3, nil, p.key)
	if err := p.command("createStream", 4, nil); err != nil {
		return err
	}
	answer, err := p.await("_result", 4)
	if err != nil {
		return fmt.Errorf("createStream: %w", err)
	}
	if id, ok := at[float64](answer, 3); ok {
		p.streamID = uint32(id)
	}
	publish := appendAMF(nil, "publish", 5, nil, p.key, "live")
	if err := p.write(newBody(msgCommand, publish, chunkSize), 0, p.streamID); err != nil {
		return err
	}
	if _, err := p.await("onStatus", -1); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// handshake is the simple one (Adobe RTMP specification, section 5.2).
func (p *publisher) handshake() error {
	c := make([]byte, 1+1536)
	c[0] = 3
	for i := 9; i < len(c); i++ {
		c[i] = byte(i)
	}
	if _, err := p.conn.Write(c); err != nil {
		return err
	}
	s := make([]byte, 1+1536+1536)
	if _, err := io.ReadFull(p.in.r, s); err != nil {
		return err
	}
	_, err := p.conn.Write(s[1 : 1+1536])
	return err
}

// command sends an AMF0 command: its name, transaction id, and arguments.
func (p *publisher) command(name string, id int, args ...any) error {
	return p.send(msgCommand, appendAMF(appendAMF(nil, name, id), args...))
}

// send sends a message that concerns the connection.
func (p *publisher) send(kind byte, payload []byte) error {
	return p.write(newBody(kind, payload, p.chunkSize), 0, 0)
}

// media sends a message of the published stream.
func (p *publisher) media(m *body, timestamp uint32) error { return p.write(m, timestamp, p.streamID) }

// write sends a message. It returns when the kernel has all of it.
func (p *publisher) write(m *body, timestamp, streamID uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	header, rest := m.head(p.header[:0], timestamp, streamID, p.chunkSize)
	p.header = header
	p.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	var err error
	if len(rest) <= 4096 {
		p.header = append(header, rest...)
		_, err = p.conn.Write(p.header)
	} else {
		_, err = (&net.Buffers{header, rest}).WriteTo(p.conn)
	}
	if err == nil {
		return nil
	}
	select {
	case why := <-p.failed: // the server's own words are better
		return why
	case <-time.After(100 * time.Millisecond):
		return err
	}
}

// await reads up to the answer name with transaction id (any if negative) and returns its values.
func (p *publisher) await(name string, id float64) ([]any, error) {
	for {
		values, err := p.nextCommand()
		if err != nil {
			return nil, err
		}
		got, _ := at[string](values, 0)
		number, _ := at[float64](values, 1)
		if err := refusal(values); err != nil {
			return nil, err
		}
		if got == name && (id < 0 || number == id) {
			return values, nil
		}
	}
}

// nextCommand reads up to the next command, answering pings.
func (p *publisher) nextCommand() ([]any, error) {
	for {
		kind, payload, err := p.in.next()
		switch {
		case err != nil:
			return nil, err
		case kind == msgCommand:
			return parseAMF(payload)
		case kind == msgUserControl && len(payload) == 6 && payload[1] == 6: // ping
			pong := append([]byte{0, 7}, payload[2:]...)
			if err := p.send(msgUserControl, pong); err != nil {
				return nil, err
			}
		}
	}
}

// refusal returns the error that a command of the server states: _error, or a status of level "error".
func refusal(values []any) error {
	name, _ := at[string](values, 0)
	info, _ := at[map[string]any](values, 3)
	level, _ := info["level"].(string)
	if name != "_error" && level != "error" {
		return nil
	}
	return fmt.Errorf("refused: %v: %v", info["code"], info["description"])
}

// listen reads until the connection ends, and keeps why.
func (p *publisher) listen() {
	for {
		values, err := p.nextCommand()
		if err == nil {
			err = refusal(values)
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the server closed the connection")
		}
		if err != nil {
			p.failed <- err
			return
		}
	}
}

// close says goodbye as encoders do.
func (p *publisher) close() {
	p.command("FCUnpublish", 6, nil, p.key)
	p.command("deleteStream", 7, nil, float64(p.streamID))
	p.conn.Close()
}

// at returns values[i] if it is there and a T.
func at[T any](values []any, i int) (v T, ok bool) {
	if i < len(values) {
		v, ok = values[i].(T)
	}
	return v, ok
}
