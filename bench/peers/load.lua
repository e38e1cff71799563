-- What wrk sends: wrk -s load.lua <url> -- <directory> <draw> <seed> <mutations per thousand>
--
-- In the directory: `requests`, one a line, the hottest first (the body of a POST, or the path of a GET), in which <ids>
-- stands for twenty ids; `articles`, their ids in the same order; `mutation`, a body with <id> and <title>, then a token.

local requests, articles, mutation, token, draw, pick, mutations, seed

function init(args)
  local directory, how = args[1], args[2]
  seed = args[3]
  math.randomseed(tonumber(seed))
  mutations = tonumber(args[4]) / 1000
  requests = read(directory .. "/requests")
  articles = read(directory .. "/articles")
  mutation, token = unpack(read(directory .. "/mutation"))
  wrk.headers["Content-Type"] = "application/json"
  draw = draws[how]()
end

function request()
  if mutations > 0 and math.random() < mutations then return mutate() end
  return draw()
end

draws = {}

-- The same request, over and over.
function draws.one()
  local only = format(requests[1])
  return function() return only end
end

-- The second half as often as the first, the third a third as often, and so on.
function draws.zipf()
  local formatted, up_to, total = {}, {}, 0
  for rank, line in ipairs(requests) do
    formatted[rank] = format(line)
    total = total + 1 / rank
    up_to[rank] = total
  end
  pick = function()
    local at, low, high = math.random() * total, 1, #up_to
    while low < high do
      local middle = math.floor((low + high) / 2)
      if up_to[middle] <= at then low = middle + 1 else high = middle end
    end
    return low
  end
  return function() return formatted[pick()] end
end

-- Never the same request twice.
function draws.unlike()
  local before, after = requests[1]:match("^(.*)<ids>(.*)$")
  return function()
    local ids = {}
    for place = 1, 20 do ids[place] = '"' .. articles[math.random(#articles)] .. '"' end
    return format(before .. table.concat(ids, ",") .. after)
  end
end

local mutated = 0

function mutate()
  mutated = mutated + 1
  local body = mutation:gsub("<id>", articles[pick()]):gsub("<title>", "Title " .. seed .. "-" .. mutated)
  local headers = { Host = wrk.headers["Host"], ["Content-Type"] = "application/json", Authorization = "Bearer " .. token }
  return wrk.format("POST", "/graphql", headers, body)
end

function format(line)
  if line:sub(1, 1) == "/" then return wrk.format("GET", line) end
  return wrk.format("POST", "/graphql", nil, line)
end

function read(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"failed":%d,"p50Micros":%d,"p99Micros":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
