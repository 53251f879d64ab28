package rtmp

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"reflect"
	"testing"
	"testing/iotest"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/chunk"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

// serveScript serves one connection on which a client has sent what r yields, and returns the answers.
func serveScript(t testing.TB, opener ingest.Opener, r io.Reader) *bytes.Buffer {
	t.Helper()
	s := &Server{Opener: opener, Log: slog.New(slog.DiscardHandler)}
	s.init()
	nc := &scripted{Reader: r}
	place, err := s.lobby.Enter(nc)
	if err != nil {
		t.Fatal(err)
	}
	newConn(s, place, nil).serve()
	return &nc.written
}

// However the bytes are cut up on their way, the units are the same, whether or not the client waits for
// answers.
func TestBytesInAnyPortions(t *testing.T) {
	script := newSent().command("connect", 1, amf.Object{{Name: "app", Value: "live"}}).command("publish", 2, nil, "key", "live").
		message(chunk.TypeVideo, 0, rtmptest.AVCConfig(avcC)).
		message(chunk.TypeVideo, 10, rtmptest.AVCFrame(true, -1, rtmptest.NALs(append([]byte{0x65}, make([]byte, 20_000)...)))).
		message(chunk.TypeAudio, 0x1000000, rtmptest.AACConfig(asc)).
		message(chunk.TypeAudio, 0x1000000, rtmptest.AACFrame(make([]byte, 999))).
		message(chunk.TypeVideo, 0x1000020, rtmptest.AVCFrame(false, 40, slice)).
		command("FCUnpublish", 3, nil, "key").b
	var first []media.AccessUnit
	for name, r := range map[string]io.Reader{
		"whole":             bytes.NewReader(script),
		"bytes":             iotest.OneByteReader(bytes.NewReader(script)),
		"halves":            iotest.HalfReader(bytes.NewReader(script)),
		"data with the end": iotest.DataErrReader(bytes.NewReader(script)),
	} {
		desk := newFakeDesk()
		serveScript(t, desk, r)
		show := desk.Next(t)
		if why := show.Ended(t); why != nil {
			t.Errorf("%s: ended with %v", name, why)
		}
		var units []media.AccessUnit
		for len(show.units) > 0 {
			units = append(units, <-show.units)
		}
		if first == nil {
			first = units
		}
		if len(units) != 3 || !reflect.DeepEqual(units, first) {
			t.Errorf("%s: %d units, and others than before", name, len(units))
		}
	}
}

func TestAcknowledgementsWrap(t *testing.T) {
	s := &Server{Log: slog.New(slog.DiscardHandler)}
	s.init()
	nc := &scripted{Reader: bytes.NewReader(make([]byte, 10_000))}
	place, err := s.lobby.Enter(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(s, place, nil)
	c.meter.left = -1
	c.meter.setWindow(0) // means minWindow
	c.meter.total = 1<<32 - 3000
	c.meter.acked = c.meter.total
	for {
		if _, err := c.meter.Read(make([]byte, 1000)); err != nil {
			break
		}
	}
	var acks []uint32
	const header = 12
	for b := nc.written.Bytes(); len(b) >= header+4; b = b[header+4:] {
		acks = append(acks, binary.BigEndian.Uint32(b[header:]))
	}
	if !reflect.DeepEqual(acks, []uint32{0, 3000, 6000}) {
		t.Errorf("acknowledged %d", acks)
	}
}

// BenchmarkFrames takes a show of 2.5 Mb/s (30 pictures a second, a keyframe of 60 KB every second, and
// AAC) from the socket's bytes to access units. One iteration is one frame.
func BenchmarkFrames(b *testing.B) {
	picture := func(i int) []byte {
		if i == 0 {
			return rtmptest.AVCFrame(true, 0, rtmptest.NALs(append([]byte{0x65}, make([]byte, 60_000)...)))
		}
		return rtmptest.AVCFrame(false, 0, rtmptest.NALs(append([]byte{0x41}, make([]byte, 8_500)...)))
	}
	head := publishing("live", "key")
	message := func(b []byte, kind uint8, time uint32, data []byte) []byte {
		return chunk.Append(b, 4, 4096, chunk.Message{Type: kind, Stream: 1, Timestamp: time, Data: data})
	}
	head = append(head, chunk.Append(nil, 2, 128, chunk.Message{Type: chunk.TypeSetChunkSize, Data: []byte{0, 0, 16, 0}})...)
	head = message(head, chunk.TypeVideo, 0, rtmptest.AVCConfig(avcC))
	head = message(head, chunk.TypeAudio, 0, rtmptest.AACConfig(asc))
	var show []byte
	frames := 0
	for i := range 30 {
		show = message(show, chunk.TypeVideo, uint32(i)*33, picture(i))
		show = message(show, chunk.TypeAudio, uint32(i)*33, rtmptest.AACFrame(make([]byte, 340)))
		frames += 2
	}
	counter := &counter{b: b, left: b.N}
	b.SetBytes(int64(len(show) / frames))
	b.ReportAllocs()
	serveScript(b, counter, io.MultiReader(bytes.NewReader(head), &endless{data: show, until: counter}))
}

// counter lets a host in and counts down its units, timing from the first on.
type counter struct {
	b    *testing.B
	left int
}

func (c *counter) Open(ingest.Request) (ingest.Publisher, error) { return c, nil }
func (c *counter) SetTrack(media.Track) error                    { return nil }
func (c *counter) Expect(bool, bool)                             {}
func (c *counter) Done() <-chan struct{}                         { return nil }
func (c *counter) Err() error                                    { return nil }
func (c *counter) Close(error)                                   {}
func (c *counter) Write(media.AccessUnit) error {
	if c.left == c.b.N {
		c.b.ResetTimer()
	}
	if c.left--; c.left == 0 {
		c.b.StopTimer()
	}
	return nil
}

// endless yields data again and again until a counter is done.
type endless struct {
	data, rest []byte
	until      *counter
}

func (e *endless) Read(b []byte) (int, error) {
	if e.until.left <= 0 {
		return 0, io.EOF
	}
	if len(e.rest) == 0 {
		e.rest = e.data
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}
