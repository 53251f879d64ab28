package rtmp

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/rtmp/amf"
	"pushcart/ingest/rtmp/chunk"
	"pushcart/ingest/rtmp/rtmptest"
	"pushcart/media"
)

// crowd lets everybody in. Of the host called "good" it checks that no frame is lost; of others it
// keeps nothing.
type crowd struct {
	t       *testing.T
	next    atomic.Uint64 // the good host's next frame
	ended   chan error    // how its publish ended
	hostile atomic.Int64  // publishes of others
}

type visitor struct {
	*crowd
	good bool
}

func (c *crowd) Open(r ingest.Request) (ingest.Publisher, error) {
	if r.Key != "good" {
		c.hostile.Add(1)
	}
	return visitor{c, r.Key == "good"}, nil
}

func (v visitor) SetTrack(media.Track) error { return nil }
func (v visitor) Expect(bool, bool)          {}
func (v visitor) Done() <-chan struct{}      { return nil }
func (v visitor) Err() error                 { return nil }

func (v visitor) Write(au media.AccessUnit) error {
	if v.good {
		n := v.next.Add(1) - 1
		if got := binary.BigEndian.Uint64(au.Data[5:]); got != n || len(au.Data) != frameSize {
			v.t.Errorf("frame %d came when %d was due", got, n)
			v.next.Store(got + 1)
		}
	}
	return nil
}

func (v visitor) Close(why error) {
	if v.good {
		v.ended <- why
	}
}

const frameSize = 5000

// frame is picture n, with its number where Write looks for it.
func frame(n uint64) []byte {
	b := make([]byte, frameSize-4)
	b[0] = 0x65
	binary.BigEndian.PutUint64(b[1:], n)
	return rtmptest.AVCFrame(true, 0, rtmptest.NALs(b))
}

// attack is a way to misbehave. It may leave its connections open until the test ends.
type attack struct {
	name  string
	count int // connections, each with the function's n
	run   func(h *hostile, n int)
}

type hostile struct {
	addr string
	mu   sync.Mutex
	open []net.Conn // guarded by mu
}

// dial connects from one of many loopback addresses. The connection stays open.
func (h *hostile) dial(n int) net.Conn {
	from := net.IPv4(127, 0, 1+byte(n/250%200), 1+byte(n%250))
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 10 * time.Second}
	nc, err := d.Dial("tcp", h.addr)
	if err != nil {
		return nil
	}
	h.mu.Lock()
	h.open = append(h.open, nc)
	h.mu.Unlock()
	return nc
}

// send sends bytes until the server has had enough, and takes no notice of its answers.
func (h *hostile) send(n int, parts ...[]byte) {
	nc := h.dial(n)
	if nc == nil {
		return
	}
	go io.Copy(io.Discard, nc)
	for _, b := range parts {
		nc.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if _, err := nc.Write(b); err != nil {
			return
		}
	}
}

// header is a chunk header of type 0 on a chunk stream of two bytes.
func header(id, length, kind int) []byte {
	return []byte{0, byte(id - 64), 0, 0, 0, byte(length >> 16), byte(length >> 8), byte(length), byte(kind), 1, 0, 0, 0}
}

func chunkSize(size uint32) []byte {
	return chunk.Append(nil, 2, 128, chunk.Message{Type: chunk.TypeSetChunkSize, Data: binary.BigEndian.AppendUint32(nil, size)})
}

func attacks() []attack {
	hello := newSent().b
	live := publishing("live", "bad")
	repeat := func(b []byte, n int) []byte { return []byte(strings.Repeat(string(b), n)) }
	nested := newSent().message(chunk.TypeCommandAMF0, 0, append(amf.Append(nil, "connect", 1), strings.Repeat("\x03\x00\x01a", 4000)...)).b
	nestedData := newSent().message(chunk.TypeDataAMF0, 0, append(amf.Append(nil, "onCuePoint"), strings.Repeat("\x0A\x00\x00\x00\x01", 20_000)...)).b[1+2*handshakeSize:]
	var streams, hoard []byte
	for id := range 10_000 {
		streams = append(streams, 1, byte(id), byte(id>>8), 0, 0, 0, 0, 0, 1, chunk.TypeAudio, 1, 0, 0, 0, 'x')
	}
	for id := range 60 {
		hoard = append(append(hoard, header(64+id, 8<<20, chunk.TypeVideo)...), make([]byte, 100_000)...)
	}
	return []attack{
		{"slow handshakes", 200, func(h *hostile, n int) { h.send(n, []byte{3}, make([]byte, n)) }},
		{"half-open connections", 3000, func(h *hostile, n int) { h.dial(n) }},
		{"half-open connections from one address", 1500, func(h *hostile, n int) { h.dial(0) }},
		{"not RTMP", 50, func(h *hostile, n int) { h.send(n, []byte("GET / HTTP/1.1\r\n\r\n")) }},
		{"AMF nested without end", 20, func(h *hostile, n int) { h.send(n, nested) }},
		{"AMF nested without end in data", 20, func(h *hostile, n int) { h.send(n, live, repeat(nestedData, 10)) }},
		{"16 MB declared before publish", 50, func(h *hostile, n int) {
			h.send(n, hello, header(64, 0xFFFFFF, chunk.TypeCommandAMF0), make([]byte, 1<<20))
		}},
		{"16 MB declared", 50, func(h *hostile, n int) {
			h.send(n, live, header(64, 0xFFFFFF, chunk.TypeVideo), make([]byte, 1<<20))
		}},
		{"8 MB declared on 60 chunk streams", 3, func(h *hostile, n int) { h.send(n, live, chunkSize(100_000), hoard) }},
		{"10,000 chunk streams", 20, func(h *hostile, n int) { h.send(n, live, streams) }},
		{"10,000 chunk streams before publish", 20, func(h *hostile, n int) { h.send(n, hello, streams) }},
		{"empty messages", 5, func(h *hostile, n int) {
			h.send(n, live, header(64, 0, chunk.TypeVideo), repeat([]byte{0xC0, 0}, 200_000))
		}},
		{"chunk size 0", 20, func(h *hostile, n int) { h.send(n, live, chunkSize(0), make([]byte, 1000)) }},
		{"chunk size 2^31-1", 20, func(h *hostile, n int) {
			h.send(n, live, chunkSize(1<<31-1), header(64, 8<<20, chunk.TypeVideo), make([]byte, 10_000))
		}},
		{"pings that nobody reads", 5, func(h *hostile, n int) {
			if nc := h.dial(n); nc != nil {
				nc.SetWriteDeadline(time.Now().Add(time.Second))
				ping := chunk.Append(nil, 2, 128, chunk.Message{Type: chunk.TypeUserControl, Data: []byte{0, 6, 0, 0, 0, 0}})
				nc.Write(append(live, repeat(ping, 100_000)...))
			}
		}},
		{"commands before publish", 20, func(h *hostile, n int) {
			h.send(n, hello, repeat(newSent().command("createStream", 2, nil).b[1+2*handshakeSize:], 5000))
		}},
	}
}

// Whatever others do, a host loses no frame, and the server's memory stays within bounds.
func TestHostileClients(t *testing.T) {
	desk := &crowd{t: t, ended: make(chan error, 1)}
	s := &Server{Opener: desk, Log: slog.New(slog.DiscardHandler)}
	addr := start(t, s)
	good, err := rtmptest.Publish(context.Background(), "rtmp://"+addr+"/live/good", rtmptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	good.WriteVideo(0, rtmptest.AVCConfig(avcC))
	before := heap()
	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan uint64)
	go func() { // the good host: a frame every two milliseconds
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for n := uint64(0); ; n++ {
			select {
			case <-stop:
				stopped <- n
				return
			case <-tick.C:
			}
			if err := good.WriteVideo(uint32(n)*2, frame(n)); err != nil {
				t.Errorf("the good host was cut off: %v", err)
				<-stop
				stopped <- n
				return
			}
			if n%50 == 0 {
				peak.Store(max(peak.Load(), heap()))
			}
		}
	}()

	h := &hostile{addr: addr}
	for _, a := range attacks() {
		sent, began := desk.next.Load(), time.Now()
		var wg sync.WaitGroup
		gate := make(chan struct{}, 50)
		for n := range a.count {
			gate <- struct{}{}
			wg.Go(func() { a.run(h, n); <-gate })
		}
		wg.Wait()
		// The good host is served meanwhile, and afterwards.
		for deadline := time.Now().Add(atMost); desk.next.Load() < sent+20; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the good host is not served", a.name)
			}
		}
		st := s.Stats()
		t.Logf("%-40s %v, %d good frames; %d connections open, %d refused, heap %d MiB", a.name,
			time.Since(began).Round(time.Millisecond), desk.next.Load()-sent, st.Connections, st.Refused, heap()>>20)
		if st.Connections > 4096 {
			t.Errorf("%s: %d connections are open", a.name, st.Connections)
		}
	}
	close(stop)
	sent := <-stopped
	good.Goodbye()
	if why := <-desk.ended; why != nil {
		t.Errorf("the good host's publish ended with %v", why)
	}
	if got := desk.next.Load(); got != sent {
		t.Errorf("%d frames of %d arrived", got, sent)
	}
	if desk.hostile.Load() == 0 {
		t.Error("no attacker has come as far as publishing")
	}
	// This counts the attackers' own side, too.
	if grown := int64(peak.Load()) - int64(before); grown > 256<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	t.Logf("%d frames; the heap grew from %d to %d MiB at most", sent, before>>20, peak.Load()>>20)
	for _, nc := range h.open {
		nc.Close()
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
