package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"

	"pushcart/bench/pushlog"
	"pushcart/bench/show"
)

// received is what another library's server made of a publish.
type received struct {
	mu       sync.Mutex
	pictures []int
	dts      []time.Duration
	sounds   int
}

// serve accepts one publisher with gortmplib and collects what it sends until it leaves.
func serve(t *testing.T, ln net.Listener, got *received) {
	conn, err := ln.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	sc := &gortmplib.ServerConn{RW: conn}
	if err := sc.Initialize(); err != nil {
		t.Error(err)
		return
	}
	if err := sc.Accept(); err != nil {
		t.Error(err)
		return
	}
	r := &gortmplib.Reader{Conn: sc}
	if err := r.Initialize(); err != nil {
		t.Error(err)
		return
	}
	for _, track := range r.Tracks() {
		switch track.Codec.(type) {
		case *codecs.H264:
			r.OnDataH264(track, func(_, dts time.Duration, au [][]byte) {
				got.mu.Lock()
				defer got.mu.Unlock()
				if au[0][0]&31 == 7 { // gortmplib delivers the codec configuration as a unit
					return
				}
				i, ok := show.FindLast(bytes.Join(au, nil))
				if !ok {
					t.Error("a picture without a mark")
				}
				got.pictures, got.dts = append(got.pictures, i), append(got.dts, dts)
			})
		case *codecs.MPEG4Audio:
			r.OnDataMPEG4Audio(track, func(time.Duration, []byte) {
				got.mu.Lock()
				defer got.mu.Unlock()
				got.sounds++
			})
		}
	}
	for r.Read() == nil {
	}
}

// TestPublish pushes a short show to another library's server, with timestamps that cross into the
// extended form in chunks of several sizes, and compares what arrives with the log.
func TestPublish(t *testing.T) {
	for _, chunk := range []string{"128", "4096", "65536"} {
		t.Run(chunk, func(t *testing.T) {
			t.Parallel()
			testPublish(t, chunk)
		})
	}
}

func testPublish(t *testing.T, chunk string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var got received
	var wg sync.WaitGroup
	wg.Go(func() { serve(t, ln, &got) })
	log := filepath.Join(t.TempDir(), "log")
	o, err := parseFlags([]string{"-url", "rtmp://" + ln.Addr().String() + "/live/a?token=b", "-duration", "3s",
		"-start", "16776000", "-chunk", chunk, "-log", log, "-cue-every", "500ms"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	pictures, cues := readLog(t, log)
	if want := []string{"cue-0-1", "cue-0-2", "cue-0-3", "cue-0-4", "cue-0-5"}; !slices.Equal(cues, want) {
		t.Errorf("cues %q, want %q", cues, want)
	}
	if len(pictures) != 90 || r.Pictures != 90 || !slices.Equal(got.pictures, pictures) {
		t.Errorf("%d pictures logged, %d reported, want 90; received %v", len(pictures), r.Pictures, got.pictures)
	}
	if got.sounds < 139 {
		t.Errorf("%d AAC frames received, want 140 or so", got.sounds)
	}
	for i := 1; i < len(got.dts); i++ {
		if d := (got.dts[i] - got.dts[i-1]).Milliseconds(); d != 33 && d != 34 {
			t.Errorf("%d ms from picture %d to the next", d, i-1)
		}
	}
}

// readLog returns the pictures and the cues of a log, in order.
func readLog(t *testing.T, name string) (pictures []int, cues []string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries, err := pushlog.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Cue != "" {
			cues = append(cues, e.Cue)
		} else {
			pictures = append(pictures, e.Picture)
		}
	}
	return pictures, cues
}

// TestRefusal checks that the server's reason reaches the user.
func TestRefusal(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.ReadFull(conn, make([]byte, 1537))
		conn.Write(make([]byte, 1+1536+1536))
		status := object{{"level", "error"}, {"code", "NetConnection.Connect.Rejected"}, {"description", "go away"}}
		header, rest := newBody(msgCommand, appendAMF(nil, "_error", 1, nil, status), 128).head(nil, 0, 0, 128)
		conn.Write(append(header, rest...))
		io.Copy(io.Discard, conn)
	}()
	_, err = dial(context.Background(), "rtmp://"+ln.Addr().String()+"/live/a", 4096)
	if err == nil || !strings.Contains(err.Error(), "go away") {
		t.Errorf("got %v, want the server's description", err)
	}
}

func TestAMFRoundTrip(t *testing.T) {
	b := appendAMF(nil, "name", 4.5, true, nil, object{{"k", "v"}, {"deep", array{{"n", 1}}}})
	got, err := parseAMF(b)
	want := []any{"name", 4.5, true, nil, map[string]any{"k": "v", "deep": map[string]any{"n": 1.0}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for i := range b {
		parseAMF(b[:i]) // must not panic
	}
	if _, err := parseAMF(bytes.Repeat([]byte{amfObject, 0, 1, 'a'}, 100)); err == nil {
		t.Error("endless nesting was read")
	}
}

// TestChunks cuts messages and puts them together again, byte by byte.
func TestChunks(t *testing.T) {
	payload := bytes.Repeat([]byte("0123456789"), 50)
	for _, timestamp := range []uint32{0, extended - 1, extended, 1 << 31} {
		header, rest := newBody(msgVideo, payload, 100).head(nil, timestamp, 1, 100)
		size := binary.BigEndian.AppendUint32(nil, 100)
		setSize, sizeRest := newBody(msgSetChunkSize, size, 128).head(nil, 0, 0, 128)
		wire := bytes.Join([][]byte{setSize, sizeRest, header, rest}, nil)
		r := chunkReader{r: bufio.NewReader(iotest.OneByteReader(bytes.NewReader(wire))), size: 128}
		if kind, _, err := r.next(); kind != msgSetChunkSize || err != nil {
			t.Fatalf("got type %d, %v", kind, err)
		}
		kind, got, err := r.next()
		if kind != msgVideo || !bytes.Equal(got, payload) || err != nil {
			t.Errorf("timestamp %d: got type %d, %d bytes, %v", timestamp, kind, len(got), err)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]float64{0.5: 500, 0.99: 990, 1: 1000} {
		if got := h.quantile(q).Seconds() * 1000; got < want || got > want*1.13 {
			t.Errorf("quantile %v: %.1f ms, want %.0f or up to an eighth more", q, got, want)
		}
	}
	for _, d := range []time.Duration{0, 7, 8, 15, 16, 17, 1000, 12345, 1 << 30} {
		d *= time.Microsecond
		if up := top(bucket(d)); up <= d || float64(up) > float64(d+2*time.Microsecond)*1.14 {
			t.Errorf("%v lies in the bucket that ends at %v", d, up)
		}
	}
}

// TestFLV reads what it writes: tags come back in order, and the loop goes on without a step back.
func TestFLV(t *testing.T) {
	file := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	tag := func(kind byte, ms int, payload string) {
		file = append(file, kind, 0, 0, byte(len(payload)), byte(ms>>16), byte(ms>>8), byte(ms), byte(ms>>24), 0, 0, 0)
		file = binary.BigEndian.AppendUint32(append(file, payload...), uint32(11+len(payload)))
	}
	tag(msgVideo, 0, "config")
	tag(msgVideo, 0, "p0")
	tag(msgVideo, 40, "p1")
	tag(msgAudio, 60, "sound")
	tag(msgVideo, 80, "p2")
	tag(msgAudio, 130, "beyond the loop")
	name := filepath.Join(t.TempDir(), "a.flv")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	rec, err := readFLV(name, 4096)
	if err != nil {
		t.Fatal(err)
	}
	c := fileCursor{recording: rec, loop: true}
	var got []string
	for range 8 {
		m, _ := c.next()
		got = append(got, m.at.String()+" "+string(m.body.payload))
	}
	want := []string{"0s config", "0s p0", "40ms p1", "60ms sound", "80ms p2", "120ms config", "120ms p0", "160ms p1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := os.WriteFile(name, []byte("no flv at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readFLV(name, 4096); err == nil {
		t.Error("another file was taken for FLV")
	}
}
