package harness

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Served is a media playlist of a show, with the segments that are whole.
type Served struct {
	url      *url.URL
	Segments []Segment
}

// Segment is a whole segment of a playlist.
type Segment struct {
	Duration float64 // seconds
	Gap      bool    // of the whole of it: there are no bytes
	Parts    []Part  // none where the playlist does not list them any more
	uri      string
	init     string
}

// Part is a partial segment, as long as it is listed.
type Part struct {
	Duration float64
	Gap      bool
}

// Served reads the playlist of a show's first video rendition, or of its first sound.
func (s *Server) Served(name string, sound bool) (Served, error) {
	base := "http://" + s.Origin + "/live/" + name + "/"
	_, index := get(base + "index.m3u8")
	tag := regexp.MustCompile(`(?m)^#EXT-X-STREAM-INF:.*\n(\S+)$`)
	if sound {
		tag = regexp.MustCompile(`(?m)^#EXT-X-MEDIA:TYPE=AUDIO.*URI="([^"]+)"`)
	}
	found := tag.FindStringSubmatch(index)
	if found == nil {
		return Served{}, fmt.Errorf("it is not in the multivariant playlist:\n%s", index)
	}
	u, err := url.Parse(base + found[1])
	if err != nil {
		return Served{}, err
	}
	_, text := get(u.String())
	return Served{u, readSegments(text)}, nil
}

// readSegments reads the whole segments of a playlist.
func readSegments(text string) []Segment {
	var all []Segment
	var now Segment
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		tag, value, _ := strings.Cut(line, ":")
		switch {
		case tag == "#EXT-X-MAP":
			now.init = attribute(value, "URI")
		case tag == "#EXT-X-GAP":
			now.Gap = true
		case tag == "#EXT-X-PART":
			d, _ := strconv.ParseFloat(attribute(value, "DURATION"), 64)
			now.Parts = append(now.Parts, Part{d, attribute(value, "GAP") == "YES"})
		case tag == "#EXTINF":
			now.Duration, _ = strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
		case line != "" && line[0] != '#':
			now.uri = line
			all = append(all, now)
			now = Segment{init: now.init}
		}
	}
	return all
}

// attribute returns the value of an attribute of a tag, "" if it is not there.
func attribute(list, name string) string {
	for _, before := range []string{name + "=", "," + name + "="} {
		i := strings.Index(list, before)
		if i < 0 || before[0] != ',' && i > 0 {
			continue
		}
		value := list[i+len(before):]
		if quoted, ok := strings.CutPrefix(value, `"`); ok {
			value, _, _ = strings.Cut(quoted, `"`)
			return value
		}
		value, _, _ = strings.Cut(value, ",")
		return value
	}
	return ""
}

// fetch returns the bytes of the segments given that are no gaps, behind their initialization segment, which
// has to be the same for all.
func (r Served) fetch(segments []Segment) (*bytes.Buffer, error) {
	media, init := new(bytes.Buffer), ""
	load := func(uri string) error {
		u, err := r.url.Parse(uri)
		if err != nil {
			return err
		}
		status, body := get(u.String())
		if status != http.StatusOK {
			return fmt.Errorf("%s: status %d", u, status)
		}
		media.WriteString(body)
		return nil
	}
	for _, s := range segments {
		if s.Gap {
			continue
		}
		if init == "" {
			if err := load(s.init); err != nil {
				return nil, err
			}
			init = s.init
		}
		if s.init != init {
			return nil, fmt.Errorf("the initialization segment changes from %s to %s", init, s.init)
		}
		if err := load(s.uri); err != nil {
			return nil, err
		}
	}
	return media, nil
}
