package alarm
import ("testing";"time";"fmt";"sync/atomic";"context";"github.com/nephoscope/nephoscope/pkg/cloudwatch")
type slowReader struct{}
func (slowReader) ListMetrics(context.Context, cloudwatch.MetricFilter, *cloudwatch.Metric, int) ([]cloudwatch.Metric, error) { return nil,nil }
func (slowReader) QueryMetrics(_ context.Context, qs []cloudwatch.MetricQuery) ([][]cloudwatch.Bucket, error) {
 out := make([][]cloudwatch.Bucket, len(qs))
 for i := range qs { for s := qs[i].Start; s < qs[i].End; s += 60 { out[i] = append(out[i], cloudwatch.Bucket{Start:s, Unit:"Percent", StatisticSet: cloudwatch.StatisticSet{SampleCount:1,Sum:20,Minimum:20,Maximum:20}}) } }
 return out, nil
}
func lockTest(t *testing.T, what string, f func(), e *Engine, data []cloudwatch.Datum, now time.Time) {
 var stop atomic.Bool; done := make(chan struct{}); var worst, total time.Duration; n := 0; slow := 0
 go func(){ defer close(done); for !stop.Load() { s := time.Now(); e.Observe(tester, data[:10], now); d := time.Since(s); if d > 20*time.Millisecond {slow++}; worst = max(worst,d); total += d; n++; time.Sleep(200*time.Microsecond) } }()
 time.Sleep(5*time.Millisecond)
 s := time.Now(); f(); el := time.Since(s)
 stop.Store(true); <-done
 fmt.Printf("%s: took %v; observe n=%d worst %v mean %v >20ms: %d\n", what, el, n, worst, total/time.Duration(max(n,1)), slow)
}
func TestZZLock(t *testing.T){
 f := newFleet(t, 100_000)
 for range 8 { f.minute(t,1,20) }
 lockTest(t, "idle", func(){ time.Sleep(300*time.Millisecond) }, f.e, f.data, f.now)
 f.now = f.now.Add(time.Minute)
 lockTest(t, "advance quiet", func(){ f.e.Advance(t.Context(), f.now) }, f.e, f.data, f.now)
 for range 6 { f.step(99); lockTest(t, "advance", func(){ fmt.Println(len(f.e.Advance(t.Context(), f.now))) }, f.e, f.data, f.now) }
 lockTest(t, "sorted", func(){ for range f.e.sorted(tester) { break } }, f.e, f.data, f.now)
 g := newFleetReader(t, 100_000)
 g.now = g.now.Add(time.Minute)
 lockTest(t, "cold advance", func(){ fmt.Println(len(g.e.Advance(t.Context(), g.now))) }, g.e, g.data, g.now)
 g.now = g.now.Add(time.Minute)
 lockTest(t, "cold advance 2", func(){ fmt.Println(len(g.e.Advance(t.Context(), g.now))) }, g.e, g.data, g.now)
}
func newFleetReader(t *testing.T, n int) *fleet {
 f := &fleet{e: NewEngine(EngineSettings{Reader: slowReader{}}), now: noon, data: make([]cloudwatch.Datum, n)}
 for i := range n { d := f.definition(i); d.Metric.EvaluationPeriods=60; if _, err := f.e.Put(t.Context(), tester, d, noon); err != nil { t.Fatal(err) }
  f.data[i] = cloudwatch.Datum{Metric: cloudwatch.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: d.Metric.Dimensions}, StorageResolution: 60, Unit: "Percent"} }
 return f
}
