package difftest
import ("testing";"fmt")
func TestZX(t *testing.T){ e:=openEngine(t); for s:=uint64(1000);s<1060;s++ { ok:=t.Run(fmt.Sprint(s), func(t *testing.T){ checkRandom(t,e,s,150,60) }); _ = ok } }
