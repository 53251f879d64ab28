package origin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushcart/packager"
)

// mediaShow serves objects of given sizes and nothing else, without a packager.
type mediaShow struct {
	faulty
	objects map[string]packager.Object
}

func (m mediaShow) Object(_ context.Context, path string) (packager.Object, error) {
	o, ok := m.objects[path]
	if !ok {
		return o, packager.ErrNotFound
	}
	return o, nil
}

func (mediaShow) TargetDuration() time.Duration { return 2 * time.Second }

// benchSizes are a part of 128 kb/s audio and of 2.5 Mb/s video, at the preset "low".
var benchSizes = []struct {
	name string
	size int
	kind string
}{
	{"audio", 128_000 / 8 * 3414 / 10000, "audio/mp4"},
	{"video", 2_500_000 / 8 * 3414 / 10000, "video/mp4"},
}

func benchShow() stage {
	m := mediaShow{objects: map[string]packager.Object{}}
	for _, s := range benchSizes {
		m.objects[s.name+".m4s"] = packager.Object{ContentType: s.kind, Chunks: [][]byte{make([]byte, s.size)}, Size: int64(s.size)}
	}
	return stage{"shop": m}
}

// BenchmarkHandler is the origin's own share: no connection, no net/http. Budget: nothing allocated.
func BenchmarkHandler(b *testing.B) {
	o := New(Config{}, benchShow(), nil, quiet)
	live := newStudio(b, "low")
	live.play(9 * time.Second)
	o.shows.(stage)["live"] = live.p.Window()
	for _, path := range []string{"/live/shop/video.m4s", "/live/live/v1.m3u8?_HLS_msn=11&_HLS_part=2", "/live/live/index.m3u8"} {
		name, _, _ := strings.Cut(path, "?")
		b.Run(name[strings.LastIndex(name, "/")+1:], func(b *testing.B) {
			r, err := http.NewRequest("GET", "http://x"+path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip, deflate, br")
			r.Body = nil
			w := new(discard)
			b.ReportAllocs()
			for b.Loop() {
				clear(w.h)
				w.status = 0
				o.ServeHTTP(w, r)
			}
			if w.status != http.StatusOK {
				b.Fatal(w.status)
			}
		})
	}
}

// BenchmarkPart measures parts a second over loopback TCP and HTTP/1.1, on keep-alive connections, with a
// client that does as little as possible.
func BenchmarkPart(b *testing.B) {
	for _, s := range benchSizes {
		b.Run(s.name, func(b *testing.B) {
			o := New(Config{}, benchShow(), nil, quiet)
			addr, _ := run(b, o, nil)
			request := "GET /live/shop/" + s.name + ".m4s HTTP/1.1\r\nHost: " + addr + "\r\nAccept: */*\r\n\r\n"
			b.SetBytes(int64(s.size))
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				in := bufio.NewReaderSize(c, 64<<10)
				for pb.Next() {
					if _, err := io.WriteString(c, request); err != nil {
						b.Error(err)
						return
					}
					if err := skipResponse(in, s.size); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "parts/s")
		})
	}
}

// skipResponse reads a response whose body must be of the given size, or, if size is negative, of any.
func skipResponse(in *bufio.Reader, size int) error {
	length := -1
	for line := 0; ; line++ {
		b, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch {
		case line == 0:
			if string(b) != "HTTP/1.1 200 OK\r\n" {
				return fmt.Errorf("%s", b)
			}
		case len(b) == 2:
			if length < 0 || size >= 0 && length != size {
				return fmt.Errorf("%d bytes, not %d", length, size)
			}
			_, err := in.Discard(length)
			return err
		case string(b[:16]) == "Content-Length: ":
			if length, err = strconv.Atoi(string(b[16 : len(b)-2])); err != nil {
				return err
			}
		}
	}
}

// BenchmarkBlockedPlaylist lets viewers wait for the next part, over loopback TCP, and then makes it.
// Reported are the times from the moment the packager gets the frame that completes the part to the
// moment a viewer has read the playlist: of the middle viewer, and of the last one on average and at
// worst. The viewers are a process of their own (hire_test.go), as both ends of 10,000
// connections would take more file descriptors than many systems allow. Budget: 10,000 within 250 ms.
func BenchmarkBlockedPlaylist(b *testing.B) {
	for _, viewers := range []int{1000, 10_000} {
		b.Run(strconv.Itoa(viewers), func(b *testing.B) { benchBlocked(b, viewers) })
	}
}

func benchBlocked(b *testing.B, viewers int) {
	s := newStudio(b, "low")
	at := 9 * time.Second
	s.play(at)
	o := newOrigin(Config{}, s)
	addr, _ := run(b, o, nil)
	crowd := hireCrowd(b, addr, viewers)
	var mid, last, worst time.Duration
	for b.Loop() {
		msn, part := edge(body(b, get(o, "GET", "/live/shop/v1.m3u8")))
		crowd.ask(fmt.Sprintf("/live/shop/v1.m3u8?_HLS_msn=%d&_HLS_part=%d&_HLS_skip=YES", msn, part+1))
		until(b, func() bool { return int(o.Stats().Waiting) == viewers })
		var made time.Time
		for int(o.Stats().Waiting) == viewers {
			at += 10 * time.Millisecond
			made = time.Now()
			s.play(at)
		}
		p50, end := crowd.answered()
		mid, last, worst = mid+p50.Sub(made), last+end.Sub(made), max(worst, end.Sub(made))
	}
	ms := func(d time.Duration, n int) float64 { return float64(d.Microseconds()) / 1000 / float64(n) }
	b.ReportMetric(ms(mid, b.N), "ms-p50")
	b.ReportMetric(ms(last, b.N), "ms-last")
	b.ReportMetric(ms(worst, 1), "ms-worst")
}
