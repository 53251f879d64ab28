package harness

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"pushcart/packager/fmp4"
)

// Picture is a picture that a decoder made.
type Picture struct {
	At   time.Duration
	Hash string // of its pixels
}

// Pictures decodes all that is listed of a show's picture. Whatever its decoder complains of is an error. Times are those at
// which players show pictures: where one is decoded later than it is shown, ffmpeg moves all that come after it.
func (r Served) Pictures() ([]Picture, error) {
	media, err := r.fetch(r.Segments)
	if err != nil {
		return nil, err
	}
	head, err := fmp4.ReadInit(media.Bytes())
	if err != nil {
		return nil, err
	}
	samples, err := fmp4.ReadFragment(media.Bytes())
	if err != nil {
		return nil, err
	}
	all, err := pictures(media, "pipe:0")
	if err != nil {
		return nil, err
	}
	if len(all) != len(samples.Samples) {
		return nil, fmt.Errorf("ffmpeg has made %d pictures of %d samples", len(all), len(samples.Samples))
	}
	for i, s := range samples.Samples { // there are no B-frames
		all[i].At = time.Duration(s.PTS()) * time.Second / time.Duration(head.Timescale)
	}
	return all, nil
}

// PicturesIn decodes a file in the same way.
func PicturesIn(path string) ([]Picture, error) { return pictures(new(bytes.Buffer), path) }

// CheckSound decodes all that is listed of a show's sound. Whatever its decoder complains of is an error.
func (r Served) CheckSound() error {
	media, err := r.fetch(r.Segments)
	if err != nil {
		return err
	}
	_, err = decode(media, "pipe:0", "-map", "0:a", "-f", "null", "-")
	return err
}

var framemd5 = regexp.MustCompile(`(?m)^0, *\S+, *(\d+), *\d+, *\d+, *([0-9a-f]+)$`)
var timeBase = regexp.MustCompile(`(?m)^#tb 0: (\d+)/(\d+)$`)

func pictures(media *bytes.Buffer, input string) ([]Picture, error) {
	out, err := decode(media, input, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framemd5", "-")
	if err != nil {
		return nil, err
	}
	base := timeBase.FindSubmatch(out)
	if base == nil {
		return nil, fmt.Errorf("ffmpeg printed no time base:\n%.300s", out)
	}
	numerator, _ := strconv.ParseInt(string(base[1]), 10, 64)
	denominator, _ := strconv.ParseInt(string(base[2]), 10, 64)
	var all []Picture
	for _, m := range framemd5.FindAllSubmatch(out, -1) {
		ticks, err := strconv.ParseInt(string(m[1]), 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, Picture{time.Duration(ticks * numerator * int64(time.Second) / denominator), string(m[2])})
	}
	return all, nil
}

// decode has ffmpeg decode something. It stops at the first error, and a complaint is one.
func decode(media *bytes.Buffer, input string, output ...string) ([]byte, error) {
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-xerror", "-err_detect", "explode", "-copyts", "-i", input}, output...)...)
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stderr = media, &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		return nil, fmt.Errorf("ffmpeg: %v: %.500s", err, complaints.Bytes())
	}
	return out, nil
}

// Noise publishes pictures of which no two are the same, each with sound of its time, by RTSP over UDP with ffmpeg. What is
// sent is kept in a file as well, to be read when the host has gone.
func Noise(t testing.TB, url string, kilobitsPerSecond int) (h *Host, sent string) {
	t.Helper()
	sent = filepath.Join(t.TempDir(), "sent.nut")
	rate := strconv.Itoa(kilobitsPerSecond) + "k"
	h = Encode(t, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=480x270:rate=%d,noise=alls=6:allf=t,format=yuv420p", fps),
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=color=pink:amplitude=0.2:sample_rate=%d", sampleRate),
		"-map", "0:v", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1",
		"-g", strconv.Itoa(fps), "-keyint_min", strconv.Itoa(fps), "-sc_threshold", "0", "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
		"-map", "1:a", "-c:a", "aac", "-b:a", "96k", "-ac", "2",
		"-flags", "+global_header", "-f", "tee", fmt.Sprintf("[f=rtsp:rtsp_transport=udp]%s|[f=nut]%s", url, sent))
	return h, sent
}
