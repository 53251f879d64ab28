package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// FrameClock tells which date a host's frames have, by the number drawn into them.
type FrameClock struct {
	number int
	date   time.Time
}

// At returns the program date-time of frame n, rounded down to less than a millisecond before the true one. It
// holds for as long as the host stays.
func (c FrameClock) At(n int) time.Time {
	return c.date.Add(time.Duration(n-c.number) * time.Second / fps)
}

// Number returns the frame that is due at a date.
func (c FrameClock) Number(date time.Time) int {
	return c.number + int(date.Sub(c.date)*fps/time.Second)
}

// Clock reads a show's newest whole segment without any of the players: the playlist tells the date of its first
// frame, and ffmpeg decodes the number in it. It waits for one that was drawn after since.
func (s *Server) Clock(t testing.TB, name string, since time.Time) FrameClock {
	t.Helper()
	base := "http://" + s.Origin + "/live/" + name + "/"
	var err error
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var c FrameClock
		var drawn time.Time
		if c, drawn, err = readClock(base); err == nil && drawn.After(since) {
			return c
		}
	}
	t.Fatalf("no clock of %s: %v", name, err)
	return FrameClock{}
}

var (
	mapTag     = regexp.MustCompile(`(?m)^#EXT-X-MAP:URI="([^"]+)"`)
	segmentTag = regexp.MustCompile(`(?m)^#EXT-X-PROGRAM-DATE-TIME:(\S+)\n(?:#EXT-X-PART:.*\n)*#EXTINF:.*\n([^#\s]\S*)$`)
)

func readClock(base string) (c FrameClock, drawn time.Time, err error) {
	status, index := get(base + "index.m3u8")
	if status != http.StatusOK {
		return c, drawn, fmt.Errorf("index.m3u8: status %d", status)
	}
	playlist := ""
	for line := range strings.Lines(index) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			playlist = line
			break
		}
	}
	root, err := url.Parse(base)
	if err != nil {
		return c, drawn, err
	}
	if root, err = root.Parse(playlist); err != nil {
		return c, drawn, err
	}
	date, media, err := newestSegment(root)
	if err != nil {
		return c, drawn, err
	}
	number, drawn, err := decodeStamp(media)
	return FrameClock{number, date}, drawn, err
}

// newestSegment returns the newest whole segment of a media playlist, with the initialisation that it needs, and its
// date.
func newestSegment(playlist *url.URL) (date time.Time, media *bytes.Buffer, err error) {
	_, text := get(playlist.String())
	maps, segments := mapTag.FindAllStringSubmatch(text, -1), segmentTag.FindAllStringSubmatch(text, -1)
	if len(maps) == 0 || len(segments) == 0 {
		return date, nil, fmt.Errorf("no whole segment in %s", playlist)
	}
	last := segments[len(segments)-1]
	if date, err = time.Parse("2006-01-02T15:04:05.000Z07:00", last[1]); err != nil {
		return date, nil, err
	}
	media = new(bytes.Buffer)
	for _, part := range []string{maps[len(maps)-1][1], last[2]} {
		u, err := playlist.Parse(part)
		if err != nil {
			return date, nil, err
		}
		status, body := get(u.String())
		if status != http.StatusOK {
			return date, nil, fmt.Errorf("%s: status %d", u, status)
		}
		media.WriteString(body)
	}
	return date, media, nil
}

// decodeStamp reads the number in the first picture of a piece of media, and when it was drawn.
func decodeStamp(media io.Reader) (number int, drawn time.Time, err error) {
	const cell = 4
	width, height := stampColumns*cell, stampRows*cell
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", "pipe:0", "-frames:v", "1",
		"-vf", fmt.Sprintf("crop=iw:floor(ih/%d)*%d:0:0,scale=%d:%d:flags=area,format=gray", stampHeight, stampRows, width, height),
		"-f", "rawvideo", "pipe:1")
	cmd.Stdin = media
	pixels, err := cmd.Output()
	if err != nil || len(pixels) != width*height {
		return 0, drawn, fmt.Errorf("ffmpeg: %w, %d pixels", err, len(pixels))
	}
	var b [12]byte
	for i := range stampColumns * stampRows {
		x, y := i%stampColumns*cell+cell/2, i/stampColumns*cell+cell/2
		if pixels[y*width+x] > 126 {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	if b[0] != stampMarker || crc16(b[:10]) != uint16(b[10])<<8|uint16(b[11]) {
		return 0, drawn, fmt.Errorf("no clock in the picture")
	}
	ms := int64(0)
	for _, x := range b[1:7] {
		ms = ms<<8 | int64(x)
	}
	return int(b[7])<<16 | int(b[8])<<8 | int(b[9]), time.UnixMilli(ms), nil
}

// PostCue creates a cue by the operators' API. What the server says against it is the error, such as that its time is
// past.
func (s *Server) PostCue(t testing.TB, name string, cue map[string]any) error {
	t.Helper()
	body, err := json.Marshal(cue)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Post("http://"+s.Admin+"/v1/streams/live/"+name+"/cues", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusCreated {
		return fmt.Errorf("cue %s: %s: %s", body, res.Status, answer)
	}
	return nil
}
