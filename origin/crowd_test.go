package origin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCrowd lets many viewers follow a live show over HTTP while it is made, as a player does: a blocking
// reload for the next part, then the part and, at the same time, the one that is hinted. Nobody may see
// a playlist that names what is not there, or miss a part, or get other bytes than the rest.
func TestCrowd(t *testing.T) {
	const viewers, length = 60, 12 * time.Second
	s := newStudio(t, "low")
	s.play(7 * time.Second)
	o := newOrigin(Config{}, s)
	addr, _ := run(t, o, nil)
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * viewers}
	defer transport.CloseIdleConnections()
	var seen sync.Map // URI -> bytes
	var wg sync.WaitGroup
	for i := range viewers {
		wg.Go(func() {
			v := viewer{base: "http://" + addr + "/live/shop/", client: &http.Client{Transport: transport}, seen: &seen}
			v.rendition = []string{"v1", "a1"}[i%2]
			v.delta = i%3 == 0
			if err := v.follow(); err != nil {
				t.Errorf("viewer %d: %v", i, err)
			}
		})
	}
	for at := 7 * time.Second; at < length; at += 50 * time.Millisecond {
		// A viewer who is up to date waits for a playlist and a part. Don't leave too many behind.
		until(t, func() bool { return o.Stats().Waiting >= viewers*3/2 })
		s.play(at)
	}
	s.end()
	wg.Wait()
	if st := o.Stats(); st.Waiting != 0 || st.Waits == 0 {
		t.Errorf("%d waiting, %d waits", st.Waiting, st.Waits)
	}
}

// viewer plays one rendition until the show ends.
type viewer struct {
	base, rendition string
	client          *http.Client
	delta           bool
	seen            *sync.Map
	parts           []string // URIs in order
}

func (v *viewer) fetch(path string) (string, error) {
	r, err := v.client.Get(v.base + path)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != 200 {
		err = fmt.Errorf("%s: %s %s", path, r.Status, b)
	}
	return string(b), err
}

// object fetches a part, and compares it with what others got.
func (v *viewer) object(uri string) error {
	b, err := v.fetch(uri)
	if err != nil {
		return err
	}
	if first, _ := v.seen.LoadOrStore(uri, b); first != b {
		return fmt.Errorf("%s: not everybody gets the same bytes", uri)
	}
	return nil
}

func (v *viewer) follow() error {
	list, err := v.fetch(v.rendition + ".m3u8")
	for err == nil {
		if err = v.take(list); err != nil || strings.Contains(list, "#EXT-X-ENDLIST") {
			return err
		}
		msn, part := edge(list)
		hint := uris(list, "#EXT-X-PRELOAD-HINT:")
		if len(hint) != 1 {
			return fmt.Errorf("%d hints in\n%s", len(hint), list)
		}
		hinted := make(chan error, 1)
		go func() {
			err := v.object(hint[0])
			// The show may end with the hint unfulfilled.
			if err != nil && strings.Contains(err.Error(), "404") {
				err = errAbandoned
			}
			hinted <- err
		}()
		query := fmt.Sprintf("?_HLS_msn=%d&_HLS_part=%d", msn, part+1)
		if v.delta {
			query += "&_HLS_skip=YES"
		}
		list, err = v.fetch(v.rendition + ".m3u8" + query)
		if herr := <-hinted; herr != nil && !(errors.Is(herr, errAbandoned) && strings.Contains(list, "#EXT-X-ENDLIST")) {
			return herr
		}
	}
	return err
}

var errAbandoned = errors.New("the hinted part never came")

// take fetches the parts that are new. Where they begin must be known: at the last one taken.
func (v *viewer) take(list string) error {
	parts := uris(list, "#EXT-X-PART:")
	from := 0
	if len(parts) == 0 && strings.Contains(list, "#EXT-X-ENDLIST") {
		return nil // only whole segments are left
	}
	if n := len(v.parts); n > 0 {
		for from = len(parts); from > 0 && parts[from-1] != v.parts[n-1]; from-- {
		}
		if from == 0 {
			return fmt.Errorf("%s is not in\n%s", v.parts[n-1], list)
		}
	}
	for _, uri := range parts[from:] {
		if err := v.object(uri); err != nil {
			return err
		}
		v.parts = append(v.parts, uri)
	}
	return nil
}

// edge returns the position of the newest part of a playlist: the part -1 of a segment that has none.
func edge(list string) (msn int64, part int) {
	part = -1
	for line := range strings.Lines(list) {
		var n int64
		switch {
		case strings.HasPrefix(line, "#EXT-X-MEDIA-SEQUENCE:"):
			fmt.Sscanf(line, "#EXT-X-MEDIA-SEQUENCE:%d", &n)
			msn += n
		case strings.HasPrefix(line, "#EXT-X-SKIP:"):
			fmt.Sscanf(line, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%d", &n)
			msn += n
		case strings.HasPrefix(line, "#EXT-X-PART:"):
			part++
		case line[0] != '#' && strings.TrimSpace(line) != "":
			msn, part = msn+1, -1
		}
	}
	return msn, part
}
