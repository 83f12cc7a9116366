# Writes 213,068 events (184 MB) in the shape of the city-lots benchmark for event patterns: events.py OUT.jsonl
# Made up from a fixed seed: as many records and fields as the real file has, and about as many matches for the usual rules.
import random,json
R=random.Random(20261121)
N=213068
streets={"JEFFERSON":131,"BEACH":211,"HYDE":1758,"CHESTNUT":825,"FULTON":1910,"MASON":2657,"17TH":1619,"DRUMM":13,"DRAKE":25,"LAKE":846,"BLAKE":0,"STARR KING":200,"STERLING":1763,"SANTIAGO":682,"HARRISON":5000,"JACKSON":3500,"MISSION":6921,"WASHINGTON":2500,"ACADIA":14,"ACTON":10,"BLANKEN":300,"BLAIR":142,"FUNSTON":477,"RHODE ISLAND":328}
gen=["".join(R.choice("BCDEGHIJKLMNPQSTUVWXYZ") for _ in range(R.randint(4,11))) for _ in range(1700)]
gen=[g for g in gen if not g.endswith(("ON","KE","MM","ING","GO")) and not g.startswith(("AC","BL","DR","FU","RH"))]
pool=[]
for s,c in streets.items(): pool+= [s]*c
while len(pool)<N: pool.append(R.choice(gen))
pool=pool[:N]; R.shuffle(pool)
types=["ST"]*116386+["AVE"]*52000+["DR"]*9000+["WAY"]*6000+["BLVD"]*7000+["TER"]*4000+["CT"]*3000+["PL"]*1774+["LN"]*1500
while len(types)<N: types.append(None)
R.shuffle(types)
def f(x): return repr(x)
tot=0
import sys
with open(sys.argv[1],"w") as o2:
    for i in range(N):
        blk="%04d"%R.randint(1,8999); lot="%03d"%R.randint(1,160)
        m=blk+lot
        if i==0: m="1430022"
        elif i==1: m="VACSTWIL"
        elif 10<=i<111: m="2607117"
        elif 200<=i<235: m="2607218"
        elif 300<=i<955: m="3745012"
        fs=str(R.randint(1,3200)) if R.random()>.01 else None
        x=-122.514+R.random()*.15; y=37.708+R.random()*.12
        k=R.choice([5,5,5,5,6,7,8,11,15]) if R.random()>.03 else R.randint(12,60)
        pts=[{"x":x+R.uniform(-.0004,.0004),"y":y+R.uniform(-.0004,.0004),"z":0.0} for _ in range(k-1)]
        if 1000<=i<1218: pts[1]["x"]=-122.42916360922355
        pts.append(pts[0])
        poly="Polygon"
        coords=[pts]
        if i%1775==5: poly="MultiPolygon"; coords=[[pts]]
        ev={"type":"Feature","properties":{"MAPBLKLOT":m,"BLKLOT":blk+lot,"BLOCK_NUM":blk,"LOT_NUM":lot,"FROM_ST":fs,"TO_ST":fs,"STREET":pool[i],"ST_TYPE":types[i],"ODD_EVEN":R.choice("EO")},"geometry":{"type":poly,"coordinates":coords,"firstCoordinates":pts[0]}}
        s=json.dumps(ev,separators=(", ",": ")); tot+=len(s)
        o2.write(s+"\n")
print(N,tot/N)
